"""What scoring costs: how it is worked out from two runs, and the table."""

import argparse
from pathlib import Path

import pytest
from datasets import Dataset

from benchmarks import scoring_speed
from tests.helpers import tiny_run

SHORTER = {"texts": 1000, "seconds": 40.0, "cpu_seconds": 30.0, "peak_megabytes": 700.0}
LONGER = {"texts": 4000, "seconds": 100.0, "cpu_seconds": 60.0, "peak_megabytes": 702.4}


def test_starting_is_no_part_of_a_texts_cost() -> None:
    assert scoring_speed.cost(SHORTER, LONGER) == {"text": pytest.approx(0.01), "start": pytest.approx(20)}


def test_a_million_texts_in_core_hours_and_money() -> None:
    assert scoring_speed.priced(0.0036, price=0.5) == ["278", "1.0", "0.50"]


def test_texts_are_drawn_at_random_and_the_same_each_time() -> None:
    rows = Dataset.from_dict({"text": [f"text {number}" for number in range(100)]})
    texts = scoring_speed.sample(rows, 40)
    assert len(set(texts)) == 40 and texts != rows["text"][:40]
    assert scoring_speed.sample(rows, 40) == texts
    with pytest.raises(ValueError, match="--texts must be from 1 to 25: there are 100 training texts"):
        scoring_speed.sample(rows, 101)


def test_the_table(tmp_path: Path) -> None:
    args = argparse.Namespace(results_dir=tmp_path, texts=1000, price=0.04)
    scoring_speed.write_results(args, {"dataset": "moods"}, {"1 process": [SHORTER, LONGER]}, floor=0.005)
    assert tiny_run.read_json(tmp_path / "scoring_speed.json")["runs"]["1 process"] == [SHORTER, LONGER]
    lines = (tmp_path / "scoring_speed.md").read_text(encoding="utf-8").splitlines()
    assert "| 1 process | 100 | 2.8 | 0.11 | 2.0 | 20 | 40 | 700 | 702 |" in lines
    assert "| floor: matrix products only | 200 | 1.4 | 0.06 | 1.0 | – | – | – | – |" in lines
