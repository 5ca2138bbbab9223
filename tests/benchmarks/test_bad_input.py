"""Benchmarks that are asked for what is not there say so, and write nothing."""

from pathlib import Path

import pytest

from tests.helpers import tiny_run

REPOSITORY = Path(__file__).parents[2]
# What the others import, and what measures nothing.
PARTS = {"readme", "report", "shares"}
BENCHMARKS = sorted({path.stem for path in (REPOSITORY / "benchmarks").glob("*.py")} - PARTS)
# By benchmark that reads one, the option that names the encoder.
ENCODERS = dict.fromkeys(set(BENCHMARKS) - {"baselines", "intensity_baseline", "recurrent"}, "--encoder")
ENCODERS["inference_speed"] = "--models"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_data_that_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    module = tiny_run.benchmark(name, tmp_path / "results")
    argv = ["--data_dir", str(tmp_path / "nowhere")]
    encoder = tiny_run.write_encoder(tmp_path / "encoder", max_position_embeddings=128)
    argv += [ENCODERS[name], str(encoder)] if name in ENCODERS else []
    # One of them starts a process, which has to find the project, too.
    for variable, value in tiny_run.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    said = tiny_run.refusal(module, argv)
    assert f"{name}.py: error: " in said
    assert str(tmp_path / "nowhere") in said + capfd.readouterr().err
    assert not (tmp_path / "results").exists() and not (tmp_path / "outputs").exists()
