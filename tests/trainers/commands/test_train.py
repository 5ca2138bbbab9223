"""What `csr-emotion train` says at its end."""

from pathlib import Path

import pytest

from tests.helpers import tiny_run
from trainers.commands import train
from trainers.commands.parser import parse_run_arguments
from trainers.runs import prepare_run


def test_people_with_few_texts_are_told_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tiny_run.workplace(tmp_path / "place")
    few = prepare_run(parse_run_arguments(tiny_run.options(place, tmp_path / "out", recipe=["bert"])))
    said = train.hint(few, "out/emotion-encoder")
    assert f"{len(few.labels('train'))} labelled texts" in said
    assert f"cross-validate --dataset {few.args.data.emotion_dataset} says" in said
    assert "suggest UNLABELLED --model out/emotion-encoder" in said
    monkeypatch.setattr(train, "FEW_TEXTS", len(few.labels("train")))
    assert train.hint(few, "out/emotion-encoder") == ""


def test_people_who_try_the_bundled_posts_are_not(tmp_path: Path) -> None:
    place = tiny_run.workplace(tmp_path / "place")
    posts = {"emotion_dataset": "csr-emotion-posts", "emotion_label_columns": None}
    run = prepare_run(parse_run_arguments(tiny_run.options(place, tmp_path / "out", recipe=["bert"], **posts)))
    assert train.hint(run, "out/emotion-encoder") == ""
