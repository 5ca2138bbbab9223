"""Learning curves: recipes on growing shares of the labelled emotion texts, over seeds.

python -m benchmarks.learning_curves --data_dir DATA

Shares and epochs are those of benchmarks/shares.py; the sources are trained once per seed. At the full share model-3.4
is that of benchmarks/ablation.py, self-trained on --unlabelled_dataset; smaller shares use the sentiment texts,
without labels, which are fewer and so faster. All options of `csr-emotion train` are accepted and apply to every run.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model_cards import plot_learning_curves
from trainers.commands import set_up_logging
from trainers.data import write_json
from trainers.evaluation import HEADLINE
from trainers.experiments import compare_recipes, difference, markdown_table, mean_and_spread, title
from trainers.loop import encoder_label
from trainers.recipes import RECIPES

from .arguments import add_data_options, benchmark_parser, command_of
from .grid import run_recipes
from .recipes import FROM_RELATED
from .report import described
from .shares import EPOCHS, share_options


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/learning_curves")
    parser.add_argument(
        "--recipes",
        nargs="+",
        # With and without a richer source than sentiment, such as model-3.4 has.
        default=["bert-head-rate", "bert", "model-1", "model-3.3", *FROM_RELATED, "model-3.4"],
        choices=RECIPES,
        metavar="RECIPE",
        help="Recipes to compare; the others are tested against the first.",
    )
    parser.add_argument("--shares", nargs="+", type=float, default=list(EPOCHS), choices=EPOCHS, metavar="SHARE")
    add_data_options(parser, ("emotion", "sentiment", "related", "unlabelled"))
    parser.add_argument("--reuse_stages_from", help="Folder of runs `seed-N` whose identical stages are copied.")
    args, further = parser.parse_known_args(argv)
    set_up_logging()

    compared: dict[str, dict[str, Any]] = {}
    texts = 0
    for share in sorted(args.shares, reverse=True):
        for seed in args.seeds:
            prepared = run_recipes("learning_curves", [*arguments(args, share, seed), *further]).prepared
        sample = len(prepared.tasks["emotion"].splits["train"])
        texts = texts or round(sample / share)
        problem_type = prepared.task_config("emotion")["problem_type"]
        folders = {seed: run_folder(args, share, seed) for seed in args.seeds}
        labels = prepared.labels("dev")
        compared[str(share)] = compare_recipes(
            folders, args.recipes, labels, problem_type, args.recipes[0], **prepared.sampling()
        )
        names = ("emotion_dataset", "sentiment_dataset", "related_dataset", "seeds", "recipes")
        run = {name: getattr(args, name) for name in names}
        run |= {"encoder": encoder_label(args.encoder), "texts": texts}
        run["unlabelled_dataset"] = f"{args.unlabelled_dataset} at 100 %, else {args.sentiment_dataset}"
        run["epochs"] = {f"{100 * share:g} %": EPOCHS[share] for share in sorted(args.shares)}
        chosen = ["--recipes", *args.recipes, "--shares", *args.shares, "--seeds", *args.seeds, *further]
        run["command"] = command_of("learning_curves", *chosen)
        write_results(args.results_dir, run, compared, HEADLINE[problem_type])


def run_folder(args: argparse.Namespace, share: float, seed: int) -> Path:
    return args.output_dir / f"share-{share}" / f"seed-{seed}"


def arguments(args: argparse.Namespace, share: float, seed: int) -> list[str]:
    """Options of one run, including those for its share."""
    argv = ["--recipe", *args.recipes, "--encoder", args.encoder, "--data_dir", args.data_dir, "--seed", str(seed)]
    argv += ["--emotion_dataset", args.emotion_dataset, "--sentiment_dataset", args.sentiment_dataset]
    argv += ["--related_dataset", args.related_dataset, *share_options(share)]
    argv += ["--unlabelled_dataset", args.unlabelled_dataset] if share == 1.0 else []
    argv += ["--threshold", "global", "--eval_strategy", "no"]
    argv += ["--output_dir", str(run_folder(args, share, seed))]
    # The full share is run first; smaller ones reuse its source encoders.
    earlier = [run_folder(args, 1.0, seed)] if share != 1.0 and 1.0 in args.shares else []
    earlier += [Path(args.reuse_stages_from) / f"seed-{seed}"] if args.reuse_stages_from else []
    return argv + (["--reuse_stages_from", *map(str, earlier)] if earlier else [])


def write_results(
    folder: Path, run: dict[str, Any], compared: dict[str, dict[str, Any]], metrics: tuple[str, ...]
) -> None:
    """Write tables, and a figure per metric, of all shares finished so far."""
    folder.mkdir(parents=True, exist_ok=True)
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
        plot_learning_curves(scores, folder / f"learning_curves_{metric}.png", metric, run["texts"])
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
    write_json(folder / "learning_curves.json", {**run, "shares": compared, "labels_needed": needed})
    heading = (
        "Dev scores x 100 by share of the training texts: mean ± standard deviation over the seeds; difference from "
        f"`{baseline}` with its 95 % interval and p-value (bootstrap over texts and seeds); and how many labelled "
        f"texts `{baseline}` needs for the same mean (between its own, linear in the logarithm of their number)."
    )
    text = "\n".join([heading, "", *lines, described(run), ""])
    (folder / "learning_curves.md").write_text(text, encoding="utf-8")


def labels_for(score: float, counts: Sequence[int], scores: Sequence[float]) -> float | None:
    """Number of labelled texts that a recipe needs to reach a score.

    Args:
        score (`float`): The score to reach.
        counts (`Sequence[int]`): Numbers of training texts, ascending.
        scores (`Sequence[float]`): Scores with each number of texts.

    Returns:
        `float`, *optional*: The number of texts, interpolated linearly between neighbouring scores over the logarithm
        of the number; the smallest number if that suffices; `None` if the largest does not.
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
    """Format a number of labelled texts, also as a multiple of another, and mark values outside the measured shares."""
    if needed is None:
        return "more than all"
    return f"at most {fewest:,}" if needed <= fewest else f"{needed:,.0f} ({needed / count:.1f} x)"


def table(corner: str, heads: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    return markdown_table([corner, *heads], [[f"`{name}`", *cells] for name, cells in rows.items()])


if __name__ == "__main__":
    main(sys.argv[1:])
