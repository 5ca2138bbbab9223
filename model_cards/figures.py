"""The figures that cards and result tables show."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure


def plot_training_curves(log_history: list[dict[str, Any]], path: Path) -> None:
    """Draw the training and dev losses over the epochs.

    Args:
        log_history (`list[dict]`): The Trainer's log.
        path (`Path`): The image file to write.
    """
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    names = sorted({name for entry in log_history for name in entry if name == "loss" or name.endswith("_loss")})
    for name in names:
        points = [(entry["epoch"], entry[name]) for entry in log_history if name in entry and name != "train_loss"]
        if points:
            label = "dev loss" if name == "eval_loss" else name.replace("_", " ")
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    if axes.lines:
        axes.legend()
    figure.savefig(path, dpi=120)


def plot_comparison(scores: Mapping[str, Mapping[str, Sequence[float]]], path: Path, title: str) -> None:
    """Draw the scores of several recipes beside each other: the mean over seeds, and each seed as a point.

    Args:
        scores (`Mapping`): By recipe and metric, one score a seed, as fractions.
        path (`Path`): The image file to write.
        title (`str`): What stands above.
    """
    metrics = list(next(iter(scores.values())))
    figure = Figure(figsize=(3.2 * len(metrics), 0.45 * len(scores) + 1.2), layout="constrained")
    for axes, metric in zip(figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0], metrics, strict=True):
        for row, by_metric in enumerate(scores.values()):
            values = [100 * value for value in by_metric[metric]]
            axes.plot(values, [row] * len(values), "o", color="tab:blue", alpha=0.4, markersize=4)
            axes.plot(statistics.mean(values), row, "|", color="black", markersize=14, markeredgewidth=2)
        axes.set_yticks(range(len(scores)), list(scores))
        axes.set_ylim(len(scores) - 0.5, -0.5)
        axes.grid(axis="x", alpha=0.3)
        axes.set_xlabel(f"{metric.replace('_', ' ')} x 100")
    figure.suptitle(title)
    figure.savefig(path, dpi=120)


def plot_learning_curves(
    scores: Mapping[str, Mapping[float, Sequence[float]]], path: Path, metric: str, texts: int
) -> None:
    """Draw a score over the number of labelled texts, one line a recipe, with the spread over seeds.

    Args:
        scores (`Mapping`): By recipe and share of the training texts, one score a seed, as fractions.
        path (`Path`): The image file to write.
        metric (`str`): What the scores are.
        texts (`int`): How many labelled texts there are in all.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for recipe, by_share in scores.items():
        counts = [share * texts for share in sorted(by_share)]
        values = [[100 * value for value in by_share[share]] for share in sorted(by_share)]
        means = [statistics.mean(part) for part in values]
        (line,) = axes.plot(counts, means, marker="o", markersize=4, label=recipe)
        axes.fill_between(counts, list(map(min, values)), list(map(max, values)), color=line.get_color(), alpha=0.15)
    axes.set_xscale("log")
    axes.set_xlabel("labelled training texts")
    axes.set_ylabel(f"{metric.replace('_', ' ')} x 100 (dev)")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
