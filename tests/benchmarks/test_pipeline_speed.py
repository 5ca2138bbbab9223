"""The pipeline's speed: what is compared, and the tables of its ratios."""

from pathlib import Path

import pytest

from benchmarks import pipeline_speed
from tests.helpers import tiny_run


def test_ratios_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_run.write_data(tmp_path / "data")
    encoder = tiny_run.write_encoder(tmp_path / "encoder", max_position_embeddings=128)
    monkeypatch.setattr(pipeline_speed, "matrix_speed", lambda dtype: 1e9)
    argv = ["--data_dir", str(tmp_path / "data"), "--dataset", str(tmp_path / "data" / "moods")]
    argv += ["--encoder", str(encoder), "--samples", "4", "--turns", "2"]
    pipeline_speed.main([*argv, "--results_dir", str(tmp_path / "results")])
    results = tiny_run.read_json(tmp_path / "results" / "pipeline_speed.json")
    assert results["texts"] == 4 and results["precision"] == "fp32" and results["cpu"]
    assert results["floors"]["csr"] == pytest.approx(2 * results["floors"]["one encoder"])
    for name in ("one encoder", "csr", "tokenizer"):
        assert all(len(times) == 2 for times in results["seconds"][name].values())
    assert len(results["seconds"]["csr, one at a time"]["bare model"]) == 8
    lines = (tmp_path / "results" / "pipeline_speed.md").read_text(encoding="utf-8").splitlines()
    assert "| one encoder, stock pipeline | 1.00 |" in "\n".join(lines)
    assert "| without steps | 1.00 |" in lines


def test_a_ratio_is_the_median_of_the_turns() -> None:
    assert pipeline_speed.ratio([2.0, 9.0, 3.0], [1.0, 3.0, 3.0]) == 2.0
