"""Distil a trained model into one encoder of a stock class, which the Hub's widget and every tool can run.

python examples/distill_csr.py --teacher outputs/demo/csr --output_dir outputs/demo/csr-distilled
"""

import sys
from pathlib import Path

# This folder holds evaluate.py, which must not stand in for the evaluate library.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from transformers import HfArgumentParser  # noqa: E402

from trainers.commands.terminal import BAD_INPUT, exit_on, set_up_logging  # noqa: E402
from trainers.evaluation import HEADLINE  # noqa: E402
from trainers.hub import PublishingError  # noqa: E402
from trainers.runs.arguments import HubArguments  # noqa: E402
from trainers.runs.distillation import Distillation, DistillationArguments  # noqa: E402
from trainers.training_arguments import StageTrainingArguments  # noqa: E402

NAME = Path(__file__).name


def main(argv: list[str]) -> dict:
    main_process = set_up_logging()
    kinds = (DistillationArguments, HubArguments, StageTrainingArguments)
    parser = HfArgumentParser(kinds, description=__doc__, allow_abbrev=False)
    with exit_on(NAME, *BAD_INPUT):
        args, hub, training = parser.parse_args_into_dataclasses(argv)
        distillation = Distillation(args, training, hub)
    with exit_on(NAME, PublishingError):
        results = distillation.run()
    if main_process:
        for name in HEADLINE[distillation.data.problem_type]:
            compared = {
                "student": results["metrics"],
                **{key: results[key] for key in ("teacher", "baseline") if key in results},
            }
            print(name, *(f"{key} {100 * metrics[name]:.1f}" for key, metrics in compared.items()))
        print(f"The model is in {training.output_dir}: pipeline('text-classification', model='{training.output_dir}')")
    return results


if __name__ == "__main__":
    main(sys.argv[1:])
