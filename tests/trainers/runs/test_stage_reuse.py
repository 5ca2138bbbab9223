"""Runs in a folder that has stages already: what is taken from there, what is trained anew, and what is refused."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.helpers import tiny_run
from trainers.recipes import RECIPES
from trainers.runs.records import StageRecord

run_csr = tiny_run.example("run_csr").main

FINISHED = ("model-1", "model-3.1", "model-3.2", "model-3.3")
STAGES = {name: [stage.name for stage in RECIPES[name].stages] for name in FINISHED}


def options(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    """The options of the finished run."""
    return tiny_run.options(place, output_dir, **tiny_run.LEARNING | changes)


@pytest.fixture(scope="module")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of one run; read only."""
    output_dir = tmp_path_factory.mktemp("finished") / "out"
    run_csr(options(place, output_dir, recipe=list(FINISHED)))
    return output_dir


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


def times_of_writing(folder: Path) -> dict[str, int]:
    """When each file was last written; `results.json` is written by every run."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "results.json")
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


def refusal(argv: list[str]) -> str:
    with pytest.raises(SystemExit) as error:
        run_csr(argv)
    return str(error.value)


# -- stages that are there --------------------------------------------------------------------------------------------


def test_second_run_trains_nothing(place: Path, copy: Path) -> None:
    before, results = times_of_writing(copy), tiny_run.read_json(copy / "results.json")
    run_csr(options(place, copy, recipe=list(STAGES)))
    assert times_of_writing(copy) == before
    again = tiny_run.read_json(copy / "results.json")
    assert [figures["metrics"] for figures in again["recipes"].values()] == [
        figures["metrics"] for figures in results["recipes"].values()
    ]


def test_arguments_that_change_nothing_learnt_do_not_matter(place: Path, copy: Path) -> None:
    before = times_of_writing(copy)
    changes = {"logging_steps": 3, "save_strategy": "epoch", "per_device_eval_batch_size": 7, "save_total_limit": 2}
    run_csr(options(place, copy, recipe=["model-3.3"], **changes))
    assert times_of_writing(copy) == before


def test_moved_data_and_encoder_are_the_same(place: Path, copy: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(place, tmp_path / "moved"))
    before = times_of_writing(copy)
    run_csr(options(moved, copy, recipe=["model-3.3"]))
    assert times_of_writing(copy) == before


def test_later_recipe_takes_the_stages_that_are_there(place: Path, finished: Path, tmp_path: Path) -> None:
    output_dir = tmp_path / "out"
    run_csr(options(place, output_dir, recipe=["model-1"]))
    before = times_of_writing(output_dir)
    run_csr(options(place, output_dir, recipe=["model-3.1"]))
    after = times_of_writing(output_dir)
    assert before.items() <= after.items()
    assert sorted(path.name for path in output_dir.iterdir() if path.is_dir()) == sorted(
        {*STAGES["model-1"], *STAGES["model-3.1"], "representations"}
    )
    recipes = tiny_run.read_json(output_dir / "results.json")["recipes"]
    assert list(recipes) == ["model-1", "model-3.1"]
    # Whatever ran before in the same process, the same seed gives the same model.
    for stage in {*STAGES["model-1"], *STAGES["model-3.1"]}:
        here, there = (load_file(folder / stage / "model.safetensors") for folder in (output_dir, finished))
        assert all(torch.equal(value, there[name]) for name, value in here.items()), stage


def test_deleted_stage_is_trained_anew_alone(place: Path, copy: Path) -> None:
    shutil.rmtree(copy / "siamese")
    before = times_of_writing(copy)
    run_csr(options(place, copy, recipe=["model-3.3"]))
    after = times_of_writing(copy)
    assert {name.split("/")[0] for name in after.keys() - before.keys()} == {"siamese"}
    assert before.items() <= after.items()


def test_stage_made_from_the_same_is_copied(place: Path, finished: Path, copy: Path, tmp_path: Path) -> None:
    output_dir = tmp_path / "new"
    # What killed runs left: here a half copy and a half stage with a checkpoint, there a checkpoint.
    half = output_dir / "siamese.unfinished"
    half.mkdir(parents=True)
    (half / "half").write_text("")
    half = output_dir / "emotion-encoder" / "checkpoint-40"
    half.mkdir(parents=True)
    record = StageRecord.read(copy / "emotion-encoder")
    record.files = None
    record.write(half.parent)
    (copy / "sentiment-encoder" / "checkpoint-40").mkdir()

    # No stage of the first folder is the same, and csr is not the same in either.
    other = tmp_path / "other"
    run_csr(options(place, other, recipe=["bert"], num_train_epochs=1))
    changes = {"reuse_stages_from": [other, copy], "common_num_train_epochs": 1}
    run_csr(options(place, output_dir, **changes))
    for stage in ("emotion-encoder", "sentiment-encoder", "siamese"):
        # Copies have the times of what they were copied from.
        assert times_of_writing(output_dir / stage) == times_of_writing(finished / stage), stage
        for path in (finished / stage).iterdir():
            assert (output_dir / stage / path.name).read_bytes() == path.read_bytes(), path
    here, there = (tiny_run.read_json(folder / "csr" / "training_log.json") for folder in (output_dir, copy))
    assert (here[-1]["epoch"], there[-1]["epoch"]) == (1, 12)
    left = [path.name for path in output_dir.rglob("*") if "unfinished" in path.name or "checkpoint-" in path.name]
    assert left == []
    assert not (output_dir / "representations").exists(), "those of the earlier run serve"
    figures = tiny_run.read_json(output_dir / "results.json")["recipes"]["model-3.3"]
    assert figures["model"] == str(output_dir / "csr")


def test_stage_that_is_not_finished_is_not_copied(place: Path, copy: Path, tmp_path: Path) -> None:
    record = StageRecord.read(copy / "emotion-encoder")
    record.files = None
    record.write(copy / "emotion-encoder")
    log = copy / "emotion-encoder" / "training_log.json"
    log.write_text("[]")
    run_csr(options(place, tmp_path / "new", recipe=["bert"], reuse_stages_from=[copy]))
    trained = tiny_run.read_json(tmp_path / "new" / "emotion-encoder" / "training_log.json")
    assert trained[-1]["epoch"] == 12


# -- folders of other runs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "stage", "difference"),
    [
        ({"learning_rate": 0.02}, "emotion-encoder", "training.learning_rate: 0.01 there, 0.02 here"),
        ({"seed": 7}, "emotion-encoder", "training.seed: 42 there, 7 here"),
        ({"num_train_epochs": 1}, "emotion-encoder", "training.num_train_epochs"),
        ({"gradient_accumulation_steps": 2}, "emotion-encoder", "training.global_batch_size: 8 there, 16 here"),
        ({"pooling": "cls"}, "emotion-encoder", "model.pooling: mean there, cls here"),
        ({"max_train_samples": 50}, "emotion-encoder", "data.emotion.train"),
        ({"normalization": ["emoji"]}, "emotion-encoder", "tokenizer"),
        ({"threshold": "global"}, "emotion-encoder", "threshold: fixed there, global here"),
        ({"siamese_margin": 0.5}, "siamese", "siamese.siamese_margin: 1.0 there, 0.5 here"),
        ({"siamese_num_train_epochs": 1}, "siamese", "training.num_train_epochs"),
        ({"common_size": 4}, "csr", "common.common_size: None there, 4 here"),
        ({"common_dropout": 0.3}, "csr", "common.common_dropout: 0.1 there, 0.3 here"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_run_with_other_arguments_is_refused(
    place: Path, finished: Path, changes: dict[str, Any], stage: str, difference: str
) -> None:
    before = times_of_writing(finished)
    message = refusal(options(place, finished, **changes))
    assert f"{finished / stage} belongs to another run" in message
    assert difference in message
    assert "--output_dir" in message
    assert times_of_writing(finished) == before


def test_run_on_other_data_is_refused(place: Path, finished: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(place, tmp_path / "moved"))
    rows = tiny_run.label_rows(tiny_run.SENTIMENTS, 80, seed=3)
    tiny_run.write_jsonl(moved / "data" / "reviews" / "train.jsonl", rows)
    message = refusal(options(moved, finished))
    assert f"{finished / 'sentiment-encoder'} belongs to another run" in message
    assert "data.sentiment.train" in message


def test_run_with_renamed_labels_is_refused(place: Path, finished: Path, tmp_path: Path) -> None:
    """The finished stages would answer with the old names."""
    moved = Path(shutil.copytree(place, tmp_path / "moved"))
    for split in ("train", "dev"):
        path = moved / "data" / "posts" / f"{split}.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("text,anger,", "text,fury,", 1), encoding="utf-8")
    message = refusal(options(moved, finished, emotion_label_columns=["fury", "joy", "sadness"]))
    assert f"{finished / 'emotion-encoder'} belongs to another run" in message
    assert "fury" in message


def test_run_on_another_encoder_is_refused(place: Path, finished: Path, tmp_path: Path) -> None:
    other = tiny_run.write_encoder(tmp_path / "other", seed=1)
    message = refusal(options(place, finished, encoder=other))
    assert f"{finished / 'emotion-encoder'} belongs to another run" in message
    assert "encoder" in message


def test_folder_that_no_run_has_written_is_refused(place: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "out" / "csr" / "notes.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    message = refusal(options(place, tmp_path / "out"))
    assert str(theirs.parent) in message
    assert "--output_dir" in message
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [theirs]


# -- what a killed run may leave --------------------------------------------------------------------------------------


def test_run_killed_while_it_began_a_stage_goes_on(place: Path, tmp_path: Path) -> None:
    """The record is written beside its place first; a kill may leave just that."""
    folder = tmp_path / "out" / "emotion-encoder"
    folder.mkdir(parents=True)
    (folder / "stage.json.unfinished").write_text('{"stage": "emotion-')
    run_csr(options(place, tmp_path / "out", recipe=["bert"], num_train_epochs=1))
    assert tiny_run.read_json(folder / "stage.json")["files"]
    assert not (folder / "stage.json.unfinished").exists()


def test_run_killed_while_it_tidied_a_stage_up_goes_on(place: Path, copy: Path) -> None:
    """The record says complete before the checkpoints go; a kill may leave one."""
    left = copy / "emotion-encoder" / "checkpoint-40"
    left.mkdir()
    (left / "trainer_state.json").write_text("{}")
    before = times_of_writing(copy)
    run_csr(options(place, copy, recipe=["model-3.3"]))
    assert not left.exists()
    assert times_of_writing(copy).items() <= before.items()
