"""`csr-emotion distill`: distil a trained model into one encoder, mostly of a stock class that every tool can run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import HfArgumentParser

from ..evaluation import HEADLINE
from ..runs import DISTILLATION_KINDS, RUN_ERRORS, distillation_runner, read_evaluation
from .terminal import BAD_INPUT, exit_on, set_up_logging

DESCRIPTION = "Distil a trained model into one encoder of a stock class, which servers and other runtimes know."


def run_distillation(argv: Sequence[str], description: str = DESCRIPTION) -> dict[str, Any]:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.
        description (`str`, *optional*): First paragraph of `--help`.

    Returns:
        `dict`: Scores of the student, of its `teacher` and, if there is one, of the `baseline`.
    """
    main_process = set_up_logging()
    kinds: Any = DISTILLATION_KINDS
    parser = HfArgumentParser(kinds, description=description, allow_abbrev=False)
    with exit_on("csr-emotion distill", *BAD_INPUT):
        args, hub, training, adapters = parser.parse_args_into_dataclasses(list(argv))
        runner = distillation_runner(args, training, hub, adapters)
    with exit_on("csr-emotion distill", *RUN_ERRORS):
        runner.run()
    results = runner.final_results()
    if args.baseline:
        results["baseline"] = read_evaluation(Path(args.baseline))["metrics"]
    if main_process:
        for name in HEADLINE[runner.prepared.tasks["emotion"].problem_type]:
            compared = {"student": results["metrics"]}
            compared |= {key: results[key] for key in ("teacher", "baseline") if key in results}
            print(name, *(f"{key} {100 * metrics[name]:.1f}" for key, metrics in compared.items()))
        folder = training.output_dir
        print(f"The model is in {folder}: pipeline('text-classification', model='{folder}')")
    return results
