"""Benchmarks that are asked for what is not there say so, and write nothing."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.helpers import tiny_run

REPOSITORY = Path(__file__).parents[2]
BENCHMARKS = sorted(
    path.stem
    for path in (REPOSITORY / "benchmarks").glob("*.py")
    if "benchmark_parser(__doc__" in path.read_text("utf-8")
)
# By benchmark that reads one, the option that names the encoder.
ENCODERS = dict.fromkeys(
    set(BENCHMARKS) - {"baselines", "intensity_baseline", "recurrent", "recurrent_scale"}, "--encoder"
)
ENCODERS |= {"inference_speed": "--models", "javascript_model": "--model"}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_data_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    argv = ["--data_dir", str(tmp_path / "nowhere")]
    encoder = tiny_run.write_encoder(tmp_path / "encoder", max_position_embeddings=128)
    argv += [ENCODERS[name], str(encoder)] if name in ENCODERS else []
    argv += ["--exported", str(encoder)] if name == "javascript_model" else []
    argv += ["--results_dir", str(tmp_path / "results")] if name != "intensity_baseline" else []
    monkeypatch.chdir(tmp_path)
    said = tiny_run.refusal(import_module(f"benchmarks.{name}"), argv)
    assert name in said and ": error: " in said and str(tmp_path / "nowhere") in said
    assert not (tmp_path / "results").exists() and not (tmp_path / "outputs").exists()
