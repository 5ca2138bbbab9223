"""What class weights and augmentation each bring to the F1 of rare labels, with intervals.

python benchmarks/rare_labels.py --config examples/configs/seven-emotions.yaml --data_dir DATA_DIR --copies 600

Trains the run as it is asked for, and once more with each treatment alone; writes the tables into the output folder.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainers.arguments import RunArguments
from trainers.command_line import parse_run_arguments_and
from trainers.commands import BAD_INPUT, exit_on, set_up_logging
from trainers.runner import Runner
from trainers.search_report import label_table, scores_table
from trainers.search_space import with_options

TABLE_NAME = "rare_labels.md"


@dataclass
class TreatmentArguments:
    """The treatments of rare labels."""

    copies: int = field(
        default=600, metadata={"help": "How many training texts each label has after augmentation (--augment_rare)."}
    )


def treatments(args: RunArguments, copies: int) -> dict[str, Runner]:
    """One run a treatment, each with a folder of its own."""
    changes: dict[str, dict[str, Any]] = {
        "default": {},
        "sqrt": {"class_weights": "sqrt"},
        "balanced": {"class_weights": "balanced"},
        "augment": {"augment_rare": copies},
    }
    return {
        name: Runner(with_options(args, {"output_dir": str(Path(args.training.output_dir) / name), **options}))
        for name, options in changes.items()
    }


def main(argv: list[str]) -> None:
    set_up_logging()
    with exit_on(Path(__file__).name, *BAD_INPUT):
        args, further = parse_run_arguments_and(TreatmentArguments, argv, description=__doc__)
        runners = treatments(args, further.copies)
        if runners["default"].context.tasks["emotion"].problem_type != "multi_label_classification":
            raise ValueError("The treatments are compared on multi-label data.")
    for runner in runners.values():
        runner.run()
    notes = "\n\n".join(runners["augment"].context.tasks["emotion"].notes)
    text = "\n\n".join([scores_table(runners), label_table(runners), notes]) + "\n"
    (Path(args.training.output_dir) / TABLE_NAME).write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
