"""The TF-IDF baseline: what it reports of single-label and multi-label data."""

from pathlib import Path

import pytest

from benchmarks import baselines
from tests.helpers import tiny_run
from trainers.data import load_task_dataset


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    tiny_run.write_data(folder, train=120, dev=30)
    two = {"bad": "awful broken", "good": "great lovely"}
    for split, size, seed in (("train", 120, 1), ("dev", 30, 2)):
        tiny_run.write_jsonl(folder / "two" / f"{split}.jsonl", tiny_run.label_rows(two, size, seed))
    return folder


@pytest.mark.parametrize("name", ["moods", "two"])
def test_words_that_name_the_label_are_enough(data: Path, name: str) -> None:
    found = baselines.baseline(load_task_dataset(str(data / name)))
    assert found["problem_type"] == "single_label_classification" and found["threshold"] is None
    assert found["texts"] == {"train": 120, "dev": 30}
    assert found["metrics"]["accuracy"] > 0.95
    assert found["metrics"]["accuracy"] == max(tried["accuracy"] for tried in found["tried"])
    assert len(found["tried"]) == len(baselines.SETTINGS)
    assert f"accuracy {100 * found['metrics']['accuracy']:.1f}" in baselines.table({name: found})


def test_several_labels_a_text_have_one_tuned_threshold(data: Path) -> None:
    found = baselines.baseline(load_task_dataset(str(data / "posts"), label_columns=list(tiny_run.EMOTIONS)))
    assert found["problem_type"] == "multi_label_classification"
    assert 0 < found["threshold"] < 1
    assert found["metrics"]["jaccard"] > 0.8
