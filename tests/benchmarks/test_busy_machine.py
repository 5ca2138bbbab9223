"""Trainings beside a busy program: what is run, and the table."""

from pathlib import Path

import pytest

from benchmarks import busy_machine
from tests.helpers import tiny_run


def test_steps_are_timed_in_a_process_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy_machine, "BUSY", {"quiet": 0})
    monkeypatch.setattr(busy_machine, "WAITING", {"spin": busy_machine.WAITING["spin"]})
    tiny_run.write_data(tmp_path / "data")
    encoder = tiny_run.write_encoder(tmp_path / "encoder", max_position_embeddings=128)
    argv = ["--data_dir", str(tmp_path / "data"), "--dataset", str(tmp_path / "data" / "moods")]
    argv += ["--encoder", str(encoder), "--steps", "2", "--turns", "1", "--results_dir", str(tmp_path)]
    busy_machine.main(argv)
    (step,) = tiny_run.read_json(tmp_path / "busy_machine.json")["seconds_a_step"]["quiet"]["spin"]
    assert step > 0
    assert f"| quiet | spin | {1000 * step:.0f} | 1.00 |" in (tmp_path / "busy_machine.md").read_text(encoding="utf-8")


def test_busy_programs_end_with_the_block() -> None:
    with busy_machine.busy_programs(2) as programs:
        assert [program.poll() for program in programs] == [None, None]
    assert all(program.poll() is not None for program in programs)
