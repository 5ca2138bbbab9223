"""Train the paper's recipes: plain BERT, transfer from sentiment, and the common space (Model-3).

accelerate launch examples/run_csr.py --config examples/configs/demo.yaml
"""

import sys
from pathlib import Path

# This folder holds evaluate.py, which must not stand in for the evaluate library.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from trainers.commands.parser import parse_run_arguments  # noqa: E402
from trainers.commands.terminal import BAD_INPUT, exit_on, set_up_logging  # noqa: E402
from trainers.evaluation import HEADLINE  # noqa: E402
from trainers.hub import PublishingError  # noqa: E402
from trainers.runs import (
    Runner,
    print_results,
)

NAME = Path(__file__).name
USAGE = """
The model is in {model}. To use it:

    from transformers import pipeline
    classifier = pipeline("emotion-classification", model="{model}", trust_remote_code=True)
    print(classifier("I can't believe we finally made it! 🎉"))
"""


def main(argv: list[str]) -> None:
    main_process = set_up_logging()
    with exit_on(NAME, *BAD_INPUT):
        args = parse_run_arguments(argv, description=__doc__)
        runner = Runner(args)
    with exit_on(NAME, PublishingError):
        results = runner.run()
    if main_process:
        print_results(results, HEADLINE[runner.prepared.task_config("emotion")["problem_type"]])
        published = runner.publisher.repositories.name if runner.publisher else None
        print(USAGE.format(model=published or results["recipes"][args.model.recipe[-1]]["model"]))


if __name__ == "__main__":
    main(sys.argv[1:])
