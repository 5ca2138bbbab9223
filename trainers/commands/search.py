"""`csr-emotion search`: search hyper-parameters with Optuna."""

import logging
from collections.abc import Sequence

from ..evaluation import HEADLINE
from ..experiments import Search, SearchArguments
from ..runs import RUN_ERRORS, print_results
from .parser import parse_run_arguments_and
from .terminal import BAD_INPUT, exit_on, set_up_logging

DESCRIPTION = """Search the hyper-parameters of a recipe with Optuna, train the best trial anew, and compare it with the
default. The same command continues a search that was interrupted; started several times, it makes as many workers."""


def run_search(argv: Sequence[str], description: str = DESCRIPTION) -> None:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.
        description (`str`, *optional*): First paragraph of `--help`.
    """
    set_up_logging()
    # It comments on each axis of choices.
    logging.getLogger("matplotlib.category").setLevel(logging.WARNING)
    with exit_on("csr-emotion search", *BAD_INPUT):
        args, search_args = parse_run_arguments_and(SearchArguments, argv, description=description)
        study = Search(args, search_args)
    with exit_on("csr-emotion search", *RUN_ERRORS):
        results = study.run()
    if results is not None:
        print_results(results, HEADLINE[study.default.prepared.task_config("emotion")["problem_type"]])
        print(f"\nThe trials, what mattered, and the best against the default: {study.folder / 'report.md'}")
