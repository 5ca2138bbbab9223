"""Labels, paths and names of stages in the terminal: shown as they are, whatever a terminal makes of such text."""

import pytest
from rich.console import Console

from trainers.commands.evaluate import print_scores
from trainers.runs import print_results, verbatim

HOSTILE = ["[none]", "[/s]", "[bold]x", "[link=x]y[/link]", ":smile:", "a\\[b]"]
SCORES = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 4}


@pytest.mark.parametrize("name", HOSTILE)
def test_tables_show_text_as_it_is(capsys: pytest.CaptureFixture, name: str) -> None:
    print_scores({"jaccard": 0.5}, {name: SCORES}, f"data{name}/test.csv, 8 texts")
    shown = " ".join(capsys.readouterr().out.split())
    assert f"data{name}/test.csv" in shown and f"│ {name} " in shown


@pytest.mark.parametrize("name", HOSTILE)
def test_results_show_names_as_they_are(name: str) -> None:
    stage = {"task": name, "metrics": {"accuracy": 0.25}, "seconds": 1.0}
    results = {"recipes": {name: {"stages": {f"stage {name}": stage}, "metrics": {"accuracy": 0.25}, "seconds": 1.0}}}
    console = Console(width=200)
    with console.capture() as captured:
        print_results(results, ("jaccard",), console)
    shown = captured.get()
    assert f"│ {name} " in shown and f"stage {name}" in shown and f"{name}, accuracy 0.250" in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\x1b[31mred", "a\\x1b[31mred"), ("one\ntwo", "one\\ntwo"), ("\udcff", "\\udcff"), ("é😀", "é😀")],
)
def test_control_characters_are_shown_by_their_escapes(text: str, shown: str) -> None:
    assert verbatim(text).plain == shown
