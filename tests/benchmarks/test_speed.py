"""All measurements of speed one after the other: what is run, what is left out, and what a second call repeats."""

import argparse
import re
from pathlib import Path

import pytest

from benchmarks import speed
from tests.helpers import tiny_run

REPOSITORY = Path(__file__).parents[2]


def planned(folder: Path, missing: str | None = None) -> list[speed.Step]:
    args = argparse.Namespace(data_dir="DATA", results_dir=folder, output_dir=folder, encoder="ENCODER")
    return speed.steps(args, folder / "node", missing)


def test_a_second_call_repeats_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").mkdir()
    touch = "import sys, pathlib; path = pathlib.Path(sys.argv[1]); path.write_text(path.read_text() + 'x')"
    counts = {name: tmp_path / "runs" / name for name in ("first", "last")}
    for count in counts.values():
        count.write_text("")
    wanted = tmp_path / "wanted"
    steps = [
        speed.Step("first", ["-c", touch, str(counts["first"])], 0.1),
        speed.Step("open", ["-c", "import sys; print('hello', flush=True); open(sys.argv[1])", str(wanted)], 1),
        speed.Step("needy", ["-c", ""], 1, after="open"),
        speed.Step("elsewhere", ["-c", "1 / 0"], 1, missing="there is no npm"),
        speed.Step("last", ["-c", touch, str(counts["last"])], 1),
    ]
    outcomes = speed.run_steps(steps, tmp_path / "out")
    assert set(outcomes["first"]) == set(outcomes["last"]) == {"seconds", "cpu_seconds"}
    assert outcomes["open"]["failed"].startswith(f"FileNotFoundError: [Errno 2] No such file or directory: '{wanted}'")
    assert outcomes["needy"] == {"skipped": "no open"} and outcomes["elsewhere"] == {"skipped": "there is no npm"}
    assert (tmp_path / "out" / "open.log").read_text().startswith("hello\nTraceback")
    said = capsys.readouterr().out
    assert "1 of 5, first: about 0.1 min..." in said and "4 of 5, elsewhere: skipped, there is no npm" in said

    wanted.write_text("")
    again = speed.run_steps(steps, tmp_path / "out")
    assert {name for name, outcome in again.items() if "seconds" in outcome} == {"first", "open", "needy", "last"}
    assert again["first"] == outcomes["first"]
    assert [count.read_text() for count in counts.values()] == ["x", "x"]
    # Nothing is left to do, so a third call measures everything anew.
    speed.run_steps(steps, tmp_path / "out")
    assert [count.read_text() for count in counts.values()] == ["xx", "xx"]


def test_what_was_finished_is_repeated_where_it_is_asked_for_otherwise(tmp_path: Path) -> None:
    fails = speed.Step("fails", ["-c", "raise SystemExit(3)"], 1)
    first, other = (speed.Step("one", ["-c", f"print({number})"], 1) for number in (1, 2))
    assert speed.run_steps([first, fails], tmp_path)["fails"]["failed"].startswith("exit code 3 ")
    speed.run_steps([other, fails], tmp_path)
    assert (tmp_path / "one.log").read_text() == "2\n"
    (tmp_path / "one.log").unlink()
    speed.run_steps([other, fails], tmp_path)
    assert not (tmp_path / "one.log").exists()
    speed.run_steps([other, fails], tmp_path, again=True)
    assert (tmp_path / "one.log").exists()


def test_a_step_has_its_environment(tmp_path: Path) -> None:
    code = "import os; print(os.environ['OMP_NUM_THREADS'])"
    speed.run_step(speed.Step("threads", ["-c", code], 1, environment=speed.ONE_THREAD), tmp_path / "log")
    assert (tmp_path / "log").read_text() == "1\n"


def test_cpu_time_is_that_of_the_step(tmp_path: Path) -> None:
    code = "import time\nwhile time.process_time() < 0.3: pass"
    outcome = speed.run_step(speed.Step("busy", ["-c", code], 1), tmp_path / "log")
    assert 0.2 < outcome["cpu_seconds"] < outcome["seconds"] + 0.3


def test_every_measurement_takes_its_options(tmp_path: Path) -> None:
    for step in planned(tmp_path):
        if step.command[0] == "-m":
            assert step.command[1] == f"benchmarks.{step.name}"
            source = (REPOSITORY / "benchmarks" / f"{step.name}.py").read_text(encoding="utf-8")
            source += (REPOSITORY / "benchmarks" / "arguments.py").read_text(encoding="utf-8")
            assert all(f'"{word}"' in source for word in step.command if word.startswith("--")), step.name


def test_without_npm_the_rest_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = speed.why_no_javascript(tmp_path / "node")
    assert missing == "there is no npm"
    left_out = {step.name for step in planned(tmp_path, missing) if step.missing}
    assert left_out == {"javascript_tokenizer", "teacher", "student", "export", "javascript_model"}


def test_without_its_packages_there_is_no_javascript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("npm", "node"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert speed.why_no_javascript(tmp_path / "packages") == f"npm cannot install {' and '.join(speed.PACKAGES)}"
    for package in speed.PACKAGES:
        (tmp_path / "packages" / "node_modules" / package).mkdir(parents=True)
    assert speed.why_no_javascript(tmp_path / "packages") is None


def test_the_time_is_that_of_the_documentation(tmp_path: Path) -> None:
    steps = planned(tmp_path)
    assert sum(step.minutes for step in steps) <= 40
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8"), re.M))
    assert rows == {step.name: f"{step.minutes:g}" for step in steps}


def test_the_table(tmp_path: Path) -> None:
    args = argparse.Namespace(results_dir=tmp_path)
    steps = [speed.Step("fast", [], 2), speed.Step("broken", [], 0.5), speed.Step("absent", [], 1, missing="no npm")]
    outcomes = {
        "fast": {"seconds": 90.0, "cpu_seconds": 120.0},
        "broken": {"failed": "oh"},
        "absent": {"skipped": "no npm"},
    }
    speed.write_results(args, steps, outcomes)
    assert tiny_run.read_json(tmp_path / "speed.json")["steps"] == outcomes
    lines = (tmp_path / "speed.md").read_text(encoding="utf-8").splitlines()
    assert {"| `fast` | 2 | 1.5 | 2.0 |", "| `broken` | 0.5 | failed | – |", "| `absent` | 1 | skipped | – |"} <= set(
        lines
    )
    assert "| all | 3.5 | 1.5 | 2.0 |" in lines
