"""The recurrent encoders over seeds: the scores are those of the runs."""

from pathlib import Path

import pytest

from benchmarks import recurrent
from tests.helpers import tiny_run


def test_scores_are_those_of_the_runs(tmp_path: Path) -> None:
    tiny_run.write_data(tmp_path / "data")
    argv = ["--data_dir", str(tmp_path / "data"), "--emotion_dataset", str(tmp_path / "data" / "moods")]
    argv += ["--seeds", "1", "2", "--num_train_epochs", "1", "--use_cpu", "True", "--disable_tqdm", "True"]
    argv += ["--draw_figures", "False"]
    recurrent.main([*argv, "--output_dir", str(tmp_path / "out"), "--results_dir", str(tmp_path / "results")])
    results = tiny_run.read_json(tmp_path / "results" / "recurrent.json")
    assert results["seeds"] == [1, 2] and len(results["seconds"]) == 2
    (scores,) = results["scores"].values()
    for metric in recurrent.METRICS:
        runs = [tiny_run.read_json(tmp_path / "out" / f"seed-{seed}" / "results.json") for seed in (1, 2)]
        expected = [run["recipes"]["bert"]["metrics"][metric] for run in runs]
        assert scores[metric] == pytest.approx(expected, abs=5e-5)
    assert "--seeds 1 2" in (tmp_path / "results" / "recurrent.md").read_text(encoding="utf-8")
