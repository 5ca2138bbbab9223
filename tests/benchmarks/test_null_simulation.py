"""The paired test does not find what is not there, on dev splits of the usual sizes."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import null_simulation
from tests.helpers import tiny_run


@pytest.mark.parametrize("name", null_simulation.SETTINGS)
def test_at_most_six_in_a_hundred_are_called_significant(name: str) -> None:
    assert null_simulation.rejections(name, 3, simulations=100, resamples=200) <= 0.06


def test_texts_of_a_group_are_alike() -> None:
    (system, _), gold, groups = null_simulation.simulated("MELD, dialogues more alike", 1, np.random.default_rng(0))
    right = (system[0] == gold).astype(float)
    means = np.array([right[groups == group].mean() for group in np.unique(groups)])
    # Of ten independent texts, the variance of a mean is a tenth of that of a text.
    assert means.var() > 1.2 * right.var() / 10


def test_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(null_simulation, "SETTINGS", {"E-c": (40, 3, 1, 0.0)})
    null_simulation.main(["--results_dir", str(tmp_path), "--seeds", "3", "--simulations", "4", "--resamples", "20"])
    found = tiny_run.read_json(tmp_path / "null_simulation.json")["rejections"]["E-c, 3 seeds"]
    # Without groups, both ways are one.
    assert found["in groups"] == found["texts alone"]
    assert f"| E-c, 3 seeds | {100 * found['in groups']:.1f} |" in (tmp_path / "null_simulation.md").read_text("utf-8")
