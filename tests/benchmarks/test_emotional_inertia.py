"""How much the labels before say of an utterance: figures of dialogues that are counted by hand."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import emotional_inertia
from tests.helpers import tiny_run


def write_meld(folder: Path, split: str, *dialogues: str) -> None:
    """Dialogues such as `A:joy B:joy`."""
    rows: list[dict[str, Any]] = []
    for dialogue, lines in enumerate(dialogues):
        for place, line in enumerate(lines.split()):
            speaker, emotion = line.split(":")
            named = {"Utterance": f"{split} {dialogue} {place}", "Speaker": speaker, "Emotion": emotion}
            rows.append({**named, "Dialogue_ID": dialogue, "Utterance_ID": place})
    tiny_run.write_csv(folder / "meld" / f"{split}_sent_emo.csv", rows)


def test_labels_that_are_carried_on_are_counted(tmp_path: Path) -> None:
    write_meld(tmp_path, "train", "A:joy B:anger A:joy B:anger", "A:neutral", "A:joy B:anger")
    write_meld(tmp_path, "dev", "A:joy B:anger A:joy B:joy", "C:anger C:anger")
    emotional_inertia.main(["--data_dir", str(tmp_path), "--results_dir", str(tmp_path / "results")])
    assert tiny_run.read_json(tmp_path / "results" / "inertia_meld.json") == {
        "dialogues": 2,
        "utterances": 6,
        # Joy and anger are as frequent in train; joy occurs first.
        "majority": 0.5,
        # anger after joy, joy after anger, joy after joy, anger after anger
        "same_as_previous": 0.5,
        "same_as_previous_by_chance": 0.5,
        # A joy after joy, B joy after anger, C anger after anger
        "same_as_own_previous": 0.6667,
        "same_as_own_previous_by_chance": 0.4444,
        # In train joy begins, anger follows joy, (anger, joy) is followed by joy and (joy, anger) by anger.
        "table_of_both": 0.5,
    }
    assert "| 66.7 % |" in (tmp_path / "results" / "inertia_meld.md").read_text(encoding="utf-8")


def test_data_without_dialogues_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no column dialogue_id"):
        emotional_inertia.main(["--dataset", "csr-emotion-posts-sentiment", "--results_dir", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
