"""Search the hyper-parameters of a recipe with Optuna, train the best trial anew, and compare it with the default.

python examples/run_search.py --config examples/configs/seven-emotions.yaml --data_dir DATA_DIR --n_trials 20

The same command goes on with a search that was broken off; started several times, it makes as many workers.
"""

import logging
import sys
from pathlib import Path

# This folder holds evaluate.py, which must not stand in for the evaluate library.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from trainers.arguments import parse_run_arguments_and  # noqa: E402
from trainers.metrics import HEADLINE  # noqa: E402
from trainers.publishing import PublishingError  # noqa: E402
from trainers.results import print_results  # noqa: E402
from trainers.search import Search, SearchArguments  # noqa: E402


def main(argv: list[str]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    # It logs each request to the Hub.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    # It remarks on each axis of choices.
    logging.getLogger("matplotlib.category").setLevel(logging.WARNING)
    try:
        args, search_args = parse_run_arguments_and(SearchArguments, argv, description=__doc__)
        search = Search(args, search_args)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        # Nothing has been trained yet: the message says what to do, a traceback would bury it.
        sys.exit(f"run_search.py: error: {error}")
    try:
        results = search.run()
    except PublishingError as error:
        sys.exit(f"run_search.py: error: {error}")
    if results is not None:
        print_results(results, HEADLINE[search.default.context.task_config("emotion")["problem_type"]])
        print(f"\nThe trials, what mattered, and the best against the default: {search.folder / 'report.md'}")


if __name__ == "__main__":
    main(sys.argv[1:])
