"""The command `csr-emotion`: its subcommands, and help that does not wait for torch."""

import subprocess
import sys

import pytest

from tests.helpers import tiny_run
from trainers.commands.csr_emotion import SUBCOMMANDS, main
from trainers.commands.help_texts import SHORT_HELP, render, short_help

LIGHT = """
import sys
from trainers.commands.csr_emotion import main
main(sys.argv[1:])
heavy = {"torch", "transformers", "datasets", "numpy"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.parametrize("argv", [[], ["--help"], *([name, "--help"] for name in SUBCOMMANDS)])
def test_help_imports_nothing_heavy(argv: list[str]) -> None:
    command = [sys.executable, "-c", LIGHT, *argv]
    done = subprocess.run(command, env=tiny_run.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "csr-emotion" in done.stdout


@pytest.mark.parametrize(("own", "found"), [({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")])
def test_threads_sleep_while_they_wait_unless_told_otherwise(own: dict[str, str], found: str) -> None:
    """Spinning ones take several times as long where another program has one of the cores."""
    program = "import os, sys, trainers.commands; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    environment = {name: value for name, value in tiny_run.environment().items() if name != "OMP_WAIT_POLICY"} | own
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    # The variable is read when torch is imported.
    assert done.stdout.split() == [found, "False"], done.stderr


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_says_what_the_options_say(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m trainers.commands.help_texts` writes the texts anew."""
    monkeypatch.setenv("COLUMNS", "80")
    assert short_help(name) == render(name)


def test_help_of_training_is_short_and_points_to_the_rest(capsys: pytest.CaptureFixture) -> None:
    shown = [option for options in SHORT_HELP["train"].values() for option in options]
    assert 20 <= len(shown) == len(set(shown)) <= 30
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--help-all"])
    assert stopped.value.code == 0
    everything = capsys.readouterr().out
    assert all(f"--{option}" in everything for option in (*shown, "siamese_margin", "adam_beta1"))
    assert "--help-all" in short_help("train") and "--siamese_margin" not in short_help("train")


def test_unknown_subcommand_is_named() -> None:
    with pytest.raises(SystemExit, match=r"there is no subcommand 'trian'\. Did you mean train"):
        main(["trian"])
