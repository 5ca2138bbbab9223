"""The command `csr-emotion` and its subcommands."""

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

from .help_texts import short_help

# Maps each subcommand to its module, its function and a description.
SUBCOMMANDS = {
    "check-data": (".check_data", "run_check", "Find doubtful labels, repeated texts and rare labels in your data."),
    "train": (".train", "run_training", "Train recipes on your own data, registered datasets or the bundled posts."),
    "evaluate": (".evaluate", "run_evaluation", "Score a classifier on a split of a dataset."),
    "score": (".score", "run_scoring", "Score texts by the million, from files into files."),
    "cross-validate": (
        ".cross_validate",
        "run_cross_validation",
        "Score few labelled texts with intervals, and say what more would bring.",
    ),
    "suggest": (".suggest", "run_suggestion", "Choose the unlabelled texts that are worth labelling next."),
    "distill": (".distill", "run_distillation", "Distil a trained model into one encoder of a stock class."),
    "export": (".export", "run_export", "Write a classifier as ONNX files for other runtimes."),
    "search": (".search", "run_search", "Search the hyper-parameters of a recipe."),
    "compare": (".compare", "run_comparison", "Train recipes over several seeds and test their differences."),
    "try": (".try_model", "open_page", "Open a page in the browser to try a model."),
}
USAGE = """usage: csr-emotion SUBCOMMAND [OPTIONS]

Emotion recognition from text by common-space representation learning.

{subcommands}

csr-emotion SUBCOMMAND --help shows the options of a subcommand; --help-all shows all there are.
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run a subcommand.

    Args:
        argv (`Sequence[str]`, *optional*): The command line, without the program's name. Defaults to the
            process's own.
    """
    name, *options = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return
    if name not in SUBCOMMANDS:
        close = get_close_matches(name, SUBCOMMANDS, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        sys.exit(f"csr-emotion: error: there is no subcommand {name!r}.{hint} There are {', '.join(SUBCOMMANDS)}.")
    if options and options[0] in ("-h", "--help"):
        print(short_help(name))
        return
    module, function, _ = SUBCOMMANDS[name]
    run = getattr(import_module(module, __package__), function)
    run(["--help" if option == "--help-all" else option for option in options])


def usage() -> str:
    """Text of `csr-emotion --help`."""
    lines = [f"  {name:<16}{about}" for name, (_, _, about) in SUBCOMMANDS.items()]
    return USAGE.format(subcommands="\n".join(lines))
