"""Runs whose finished stages, caches or results were damaged, and folders that two commands want at once."""

import errno
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from tests.helpers import tiny_run
from tests.helpers.file_damages import flip_a_bit, halve, zero_half
from trainers.runs.disk import DiskFullError, naming_a_full_disk
from trainers.runs.lock import HOLDER_NAME, RunLockedError, locked

run_csr = tiny_run.example("run_csr").main

Damage = Callable[[Path], object]


DAMAGES: dict[str, tuple[str, Damage]] = {
    "weights are gone": ("model.safetensors", Path.unlink),
    "weights are empty": ("model.safetensors", lambda path: path.write_bytes(b"")),
    "weights are halved": ("model.safetensors", halve),
    "a bit of the weights has flipped": ("model.safetensors", flip_a_bit),
    "config is empty": ("config.json", lambda path: path.write_text("")),
    "config is another": ("config.json", lambda path: path.write_text("{}")),
    "tokenizer is gone": ("tokenizer.json", Path.unlink),
    "results are halved": ("eval_results.json", halve),
    "logits are gone": ("dev_logits.npy", Path.unlink),
    "code was changed": ("modeling_multitask.py", lambda path: path.write_text("raise SystemExit")),
    "record is empty": ("stage.json", lambda path: path.write_text("")),
    "record is halved": ("stage.json", halve),
    "record is a list": ("stage.json", lambda path: path.write_text("[]")),
}


@pytest.fixture(scope="module")
def whole(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; read only."""
    output_dir = tmp_path_factory.mktemp("whole") / "out"
    run_csr(tiny_run.options(place, output_dir))
    return output_dir


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may damage."""
    return Path(shutil.copytree(whole, tmp_path / "out"))


def refusal(argv: list[str]) -> str:
    return tiny_run.refusal(tiny_run.example("run_csr"), argv)


def assert_same_weights(one: Path, other: Path) -> None:
    for stage in ("emotion-encoder", "sentiment-encoder", "siamese", "csr"):
        here, there = (load_file(folder / stage / "model.safetensors") for folder in (one, other))
        assert here.keys() == there.keys()
        assert all(here[name].equal(there[name]) for name in here), stage


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("stage", ["emotion-encoder", "csr"])
def test_a_damaged_stage_is_named_and_not_taken(place: Path, copy: Path, stage: str, damage: str) -> None:
    name, do = DAMAGES[damage]
    path = copy / stage / name
    if not path.exists():
        path = copy / stage / "modeling_csr.py"
    do(path)
    message = refusal(tiny_run.options(place, copy))
    assert f"The stage in {copy / stage} is damaged" in message and str(path) in message and "--repair True" in message


def test_a_record_that_is_the_damaged_file_is_named(place: Path, copy: Path) -> None:
    record = copy / "siamese" / "stage.json"
    written = record.read_text(encoding="utf-8")
    record.write_text(written.replace("configuration_csr.py", "gonfiguration_csr.py"), encoding="utf-8")
    assert "going by its stage.json" in refusal(tiny_run.options(place, copy))
    record.write_text(written.replace('"seed"', '"reed"'), encoding="utf-8")
    assert "So says its stage.json" in refusal(tiny_run.options(place, copy))


def test_a_stage_without_its_record_is_left_to_its_owner(place: Path, whole: Path, copy: Path) -> None:
    (copy / "siamese" / "stage.json").unlink()
    message = refusal(tiny_run.options(place, copy, repair=True))
    assert "it has no stage.json" in message and "delete that folder" in message
    shutil.rmtree(copy / "siamese")
    run_csr(tiny_run.options(place, copy))
    assert_same_weights(copy, whole)


def test_repair_trains_the_damaged_stage_alone(place: Path, whole: Path, copy: Path) -> None:
    flip_a_bit(copy / "emotion-encoder" / "model.safetensors")
    (copy / "siamese" / "stage.json").write_text("")
    written = (copy / "csr" / "model.safetensors").stat().st_mtime_ns
    run_csr(tiny_run.options(place, copy, repair=True))
    assert_same_weights(copy, whole)
    assert (copy / "csr" / "model.safetensors").stat().st_mtime_ns == written
    # Repeated, the command has nothing against the folder.
    run_csr(tiny_run.options(place, copy))


def test_a_damaged_stage_of_an_earlier_run_is_not_copied(
    place: Path, whole: Path, copy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flip_a_bit(copy / "emotion-encoder" / "model.safetensors")
    (copy / "sentiment-encoder" / "stage.json").write_text("{")
    with caplog.at_level(logging.WARNING):
        run_csr(tiny_run.options(place, tmp_path / "new", reuse_stages_from=[copy]))
    assert_same_weights(tmp_path / "new", whole)
    for stage in ("emotion-encoder", "sentiment-encoder"):
        assert f"The stage in {copy / stage} is damaged" in caplog.text


def test_damaged_representations_are_encoded_anew(
    place: Path, whole: Path, copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = sorted((copy / "representations").glob("*.npy"))
    for path in paths:
        zero_half(path)
    for stage in ("siamese", "csr"):
        shutil.rmtree(copy / stage)
    with caplog.at_level(logging.WARNING):
        run_csr(tiny_run.options(place, copy))
    assert_same_weights(copy, whole)
    assert len(paths) == 4 and all(str(path) in caplog.text for path in paths)
    for path in paths:
        np.testing.assert_array_equal(np.load(path), np.load(whole / "representations" / path.name))


@pytest.mark.parametrize("contents", ["", "{", "[]", "{}", '{"recipes": []}', '{"recipes": {"bert": {}}}'])
def test_results_are_made_anew_from_the_stages(place: Path, whole: Path, copy: Path, contents: str) -> None:
    (copy / "results.json").write_text(contents)
    run_csr(tiny_run.options(place, copy))
    found, expected = (tiny_run.read_json(folder / "results.json")["recipes"] for folder in (copy, whole))
    assert found["model-3.3"]["metrics"] == expected["model-3.3"]["metrics"]


def test_an_empty_folder_in_the_place_of_the_results_goes(place: Path, copy: Path) -> None:
    (copy / "results.json").unlink()
    (copy / "results.json").mkdir()
    run_csr(tiny_run.options(place, copy))
    assert "model-3.3" in tiny_run.read_json(copy / "results.json")["recipes"]


def test_a_folder_with_nothing_but_an_unfinished_record_is_nobodys(place: Path, copy: Path, tmp_path: Path) -> None:
    """As a command leaves it that ends before its first step; the corrected one goes on there."""
    folder = tmp_path / "new" / "emotion-encoder"
    folder.mkdir(parents=True)
    record = tiny_run.read_json(copy / "emotion-encoder" / "stage.json") | {"files": None}
    record["made_from"]["training"]["learning_rate"] = 7.0
    tiny_run.write_jsonl(folder / "stage.json", [record])
    run_csr(tiny_run.options(place, tmp_path / "new", recipe=["bert"], max_steps=1))
    assert tiny_run.read_json(folder / "stage.json")["files"]


# -- one command at a time ---------------------------------------------------------------------------------------------


def test_a_second_command_is_refused_by_name(place: Path, copy: Path) -> None:
    with locked(copy, wait=False):
        assert tiny_run.read_json(copy / HOLDER_NAME)["process"] == os.getpid()
        message = refusal(tiny_run.options(place, copy))
        assert f"{copy} is in use by process {os.getpid()} on " in message and "--wait_for_lock" in message
    run_csr(tiny_run.options(place, copy))
    assert not (copy / HOLDER_NAME).exists()


def test_the_lock_goes_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path, wait=False):
        raise KeyError
    with locked(tmp_path, wait=False), pytest.raises(RunLockedError), locked(tmp_path, wait=False):
        raise AssertionError("two have the lock")


# -- a full disk -------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    message = f"The disk is full: .*{tmp_path}.* repeat the command"
    with (
        pytest.raises(DiskFullError, match=message) as found,
        naming_a_full_disk(tmp_path),
        Path("/dev/full").open("wb") as file,
    ):
        file.write(b"x")
    assert isinstance(found.value.__cause__, OSError) and found.value.__cause__.errno == errno.ENOSPC


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "Permission denied"), RuntimeError("of ours"), KeyError("x")])
def test_other_errors_are_left_as_they_are(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as found, naming_a_full_disk(tmp_path):
        raise error
    assert found.value is error
