"""Whether a multilingual vocabulary with emoji needs their English names: frozen representations with and without.

python -m benchmarks.emoji_names --data_dir DATA --encoder FOLDER

A logistic regression for each language and emotion reads them. Only texts with emoji differ, so they are scored apart.
"""

import sys
from pathlib import Path

import emoji
import numpy as np

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import load_task_dataset
from trainers.experiments import markdown_table

from .arguments import benchmark_parser, command_of
from .frozen_vectors import FrozenEncoder
from .report import write_table
from .vector_regression import Texts, choose, macro_f1, regression_logits

NAME = "emoji_names"
STEPS = ("entities", "newlines", "users", "urls")


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/languages")
    parser.add_argument("--languages", nargs="+", default=["esp", "hau", "ibo"], help="Languages (default: three).")
    parser.add_argument("--train_texts", type=int, default=1536, help="Training texts of each language, at most.")
    args = parser.parse_args(argv)
    with exit_on(NAME, *BAD_INPUT):
        loaded = {one: load_task_dataset(f"brighter:{one}", data_dir=args.data_dir) for one in args.languages}
    cache: Path = args.output_dir / "vectors"
    encoders = {
        "emoji": FrozenEncoder(args.encoder, cache, "query: ", STEPS),
        "names": FrozenEncoder(args.encoder, cache, "query: ", (*STEPS, "emoji")),
    }
    results: dict[str, dict[str, dict[str, float]]] = {}
    for language, data in loaded.items():
        parts, masks = {}, {}
        for split in ("train", "dev"):
            rows = np.arange(len(data.splits[split]))
            if split == "train":
                rows = np.random.default_rng(42).permutation(rows)[: args.train_texts]
            texts = data.splits[split].select(rows)["text"][:]
            masks[split] = np.array([emoji.emoji_count(text) > 0 for text in texts])
            vectors = {"emoji": encoders["emoji"](texts)}
            vectors["names"] = vectors["emoji"].copy()
            vectors["names"][masks[split]] = encoders["names"]([texts[row] for row in np.flatnonzero(masks[split])])
            parts[split] = {name: Texts(found, data.targets(split)[rows]) for name, found in vectors.items()}
        results[language] = {name: scores(parts["train"][name], parts["dev"][name], masks) for name in encoders}
    write_table(args.results_dir, NAME, results, table(results, command_of(NAME, "--encoder FOLDER")))


def scores(train: Texts, dev: Texts, with_emoji: dict[str, np.ndarray]) -> dict[str, float]:
    """Macro F1 on train, out of fold, and on dev: of all texts, and of those with emoji."""
    logits, dev_logits = regression_logits(train, dev)
    thresholds = choose(logits, train.targets)
    found = {}
    for split, part, values in (("train", train, logits), ("dev", dev, dev_logits)):
        found[split] = macro_f1(values, part.targets, thresholds)
        rows = with_emoji[split]
        found[f"{split}, with emoji"] = macro_f1(values[rows], part.targets[rows], thresholds)
        found[f"{split} texts with emoji"] = int(rows.sum())
    return found


def table(results: dict[str, dict[str, dict[str, float]]], command: str) -> str:
    """The scores as Markdown."""
    names = ("train", "train, with emoji", "dev", "dev, with emoji")
    rows = []
    for language, by_text in results.items():
        counts = [by_text["emoji"][f"{split} texts with emoji"] for split in ("train", "dev")]
        cells = [f"{100 * by_text['emoji'][name]:.1f} / {100 * by_text['names'][name]:.1f}" for name in names]
        rows.append([language, " / ".join(map(str, counts)), *cells])
    means = []
    for name in names:
        pair = [100 * np.mean([by_text[kind][name] for by_text in results.values()]) for kind in ("emoji", "names")]
        means.append(f"{pair[0]:.1f} / {pair[1]:.1f}")
    rows.append(["mean", "", *means])
    return "\n".join(
        [
            "Macro F1 x 100 with the emoji themselves / with their English names, out of fold on train and on dev.",
            "",
            markdown_table(["language", "texts with emoji, train / dev", *names], rows),
            "",
            f"- command: {command}",
            "",
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1:])
