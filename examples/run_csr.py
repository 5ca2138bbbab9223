"""Train the paper's recipes: plain BERT, transfer from sentiment, and the common space (Model-3).

accelerate launch examples/run_csr.py --config examples/configs/demo.yaml
"""

import logging
import os
import sys
from pathlib import Path

# This folder holds evaluate.py, which must not stand in for the evaluate library.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from trainers.arguments import parse_run_arguments  # noqa: E402
from trainers.metrics import HEADLINE  # noqa: E402
from trainers.publishing import PublishingError  # noqa: E402
from trainers.results import print_results  # noqa: E402
from trainers.runner import Runner  # noqa: E402

USAGE = """
The model is in {model}. To use it:

    from transformers import pipeline
    classifier = pipeline("emotion-classification", model="{model}", trust_remote_code=True)
    print(classifier("I can't believe we finally made it! 🎉"))
"""


def main(argv: list[str]) -> None:
    # Of the launchers. accelerate's own state must not be asked for before TrainingArguments has set it up.
    main_process = os.environ.get("RANK", "0") == "0"
    logging.basicConfig(level=logging.INFO if main_process else logging.ERROR, format="%(levelname)s %(message)s")
    # It logs each request to the Hub.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        args = parse_run_arguments(argv, description=__doc__)
        runner = Runner(args)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        # Nothing has been trained yet: the message says what to do, a traceback would bury it.
        sys.exit(f"run_csr.py: error: {error}")
    try:
        results = runner.run()
    except PublishingError as error:
        sys.exit(f"run_csr.py: error: {error}")
    if main_process:
        print_results(results, HEADLINE[runner.context.task_config("emotion")["problem_type"]])
        published = runner.publisher.repositories.name if runner.publisher else None
        print(USAGE.format(model=published or results["recipes"][args.model.recipe[-1]]["model"]))


if __name__ == "__main__":
    main(sys.argv[1:])
