"""The benchmark of texts that a frozen encoder has seen: halves, and from runs to tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import seen_texts
from tests.helpers import tiny_run
from trainers.data import load_task_dataset


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


def options(place: Path, *further: str) -> list[str]:
    argv = ["--data_dir", str(place / "data"), "--emotion_dataset", str(place / "data" / "moods"), "--seeds", "1"]
    argv += ["--encoder", str(place / "encoder"), "--output_dir", str(place / "out")]
    return [*argv, "--results_dir", str(place / "results"), *further]


@pytest.fixture(scope="module")
def written(place: Path) -> dict[str, Any]:
    seen_texts.main(options(place))
    return tiny_run.read_json(place / "results" / "seen_texts.json")


def test_halves_are_as_large_and_share_no_text(place: Path) -> None:
    data = load_task_dataset(str(place / "data" / "moods"))
    parts = [rows["text"][:] for rows in seen_texts.halves(data, 1)]
    assert sorted(text for part in parts for text in part) == sorted(data.splits["train"]["text"][:])
    assert len(set(parts[0]) & set(parts[1])) == 0 == len(set(parts[2]) & {*parts[0], *parts[1]})
    assert abs(len(parts[0]) - len(parts[1])) <= 2 and len(parts[2]) < len(parts[0]) / 3
    assert [rows["text"][:] for rows in seen_texts.halves(data, 1)] == parts
    assert [rows["text"][:] for rows in seen_texts.halves(data, 2)] != parts


def test_results_are_those_of_the_trained_models(place: Path, written: dict[str, Any]) -> None:
    data = load_task_dataset(str(place / "data" / "moods"))
    gold = data.labelled_targets("dev")
    for kind in ("pooled", "shared"):
        for system in ("encoder", "seen", "unseen"):
            kept = tiny_run.read_json(place / "out" / f"{kind}-1.json")["outcomes"][system]
            accuracy = (np.argmax(kept["logits"], axis=1) == gold).mean()
            assert written["scores"][f"{kind}, {system}"]["accuracy"] == pytest.approx([accuracy])
        seen, unseen = (written["scores"][f"{kind}, {system}"]["accuracy"][0] for system in ("seen", "unseen"))
        (test,) = (one for one in written["tests"] if (one["representation"], one["metric"]) == (kind, "accuracy"))
        assert test["difference"] == pytest.approx(unseen - seen)
        assert test["p_holm"] >= test["p_bootstrap"]


def test_a_repeated_command_trains_nothing_and_other_texts_are_refused(
    place: Path, written: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(seen_texts, "train", fail)
    seen_texts.main(options(place))
    assert tiny_run.read_json(place / "results" / "seen_texts.json") == written
    with pytest.raises(ValueError, match="of other texts or another encoder: choose another --output_dir"):
        seen_texts.main([*options(place), "--encoder", str(tiny_run.write_encoder(tmp_path / "other", seed=1))])
