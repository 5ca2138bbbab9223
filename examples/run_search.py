"""Search the hyper-parameters of a recipe with Optuna, train the best trial anew, and compare it with the default.

python examples/run_search.py --config examples/configs/seven-emotions.yaml --data_dir DATA_DIR --n_trials 20

The same command goes on with a search that was broken off; started several times, it makes as many workers.
"""

import logging
import sys
from pathlib import Path

# This folder holds evaluate.py, which must not stand in for the evaluate library.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from trainers.commands.parser import parse_run_arguments_and  # noqa: E402
from trainers.commands.terminal import BAD_INPUT, exit_on, set_up_logging  # noqa: E402
from trainers.evaluation import HEADLINE  # noqa: E402
from trainers.experiments.search import Search, SearchArguments  # noqa: E402
from trainers.hub import PublishingError  # noqa: E402
from trainers.runs import print_results  # noqa: E402

NAME = Path(__file__).name


def main(argv: list[str]) -> None:
    set_up_logging()
    # It remarks on each axis of choices.
    logging.getLogger("matplotlib.category").setLevel(logging.WARNING)
    with exit_on(NAME, *BAD_INPUT):
        args, search_args = parse_run_arguments_and(SearchArguments, argv, description=__doc__)
        search = Search(args, search_args)
    with exit_on(NAME, PublishingError):
        results = search.run()
    if results is not None:
        print_results(results, HEADLINE[search.default.prepared.task_config("emotion")["problem_type"]])
        print(f"\nThe trials, what mattered, and the best against the default: {search.folder / 'report.md'}")


if __name__ == "__main__":
    main(sys.argv[1:])
