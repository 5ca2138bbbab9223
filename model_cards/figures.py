"""Figures for model cards and result tables."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Names come from data, where dollar signs do not delimit mathematics.
AS_IT_IS: dict[str, Any] = {"parse_math": False}


def _new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure, sized in inches. matplotlib is imported on first use, since it is slow to load."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def plot_training_curves(log_history: list[dict[str, Any]], path: Path) -> None:
    """Plot training and dev losses by epoch.

    Args:
        log_history (`list[dict]`): Log history of the Trainer.
        path (`Path`): The image file to write.
    """
    figure = _new_figure(6, 3.5)
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
    """Plot the scores of several recipes: the mean over seeds, and each seed as a point.

    Args:
        scores (`Mapping`): Maps each recipe and metric to one score per seed, as fractions.
        path (`Path`): The image file to write.
        title (`str`): Title of the figure.
    """
    metrics = list(next(iter(scores.values())))
    figure = _new_figure(3.2 * len(metrics), 0.45 * len(scores) + 1.2)
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
    """Plot scores against the number of labelled texts, one line per recipe, with the range over seeds.

    Args:
        scores (`Mapping`): Maps each recipe and fraction of the training texts to one score per seed, as
            fractions.
        path (`Path`): The image file to write.
        metric (`str`): Name of the metric.
        texts (`int`): Total number of labelled training texts.
    """
    figure = _new_figure(8, 4)
    axes = figure.subplots()
    for recipe, by_share in scores.items():
        counts = [share * texts for share in sorted(by_share)]
        values = [[100 * value for value in by_share[share]] for share in sorted(by_share)]
        means = [statistics.mean(part) for part in values]
        (line,) = axes.plot(counts, means, marker="o", markersize=4, label=recipe)
        axes.fill_between(counts, list(map(min, values)), list(map(max, values)), color=line.get_color(), alpha=0.08)
    axes.set_xscale("log")
    measured = sorted({share * texts for by_share in scores.values() for share in by_share})
    axes.set_xticks(measured, [f"{count:,.0f}" for count in measured])
    axes.minorticks_off()
    axes.set_xlabel("labelled training texts")
    axes.set_ylabel(f"{metric.replace('_', ' ')} x 100 (dev)")
    axes.grid(alpha=0.3)
    # Many curves leave no room for a legend inside the axes.
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, dpi=120)


def plot_stages(parents: Mapping[str, Sequence[str]], stage: str, path: Path) -> None:
    """Draw the stages that led to a model, with arrows from each stage to those built on it.

    Args:
        parents (`Mapping[str, Sequence[str]]`): Maps each stage to the stages it is built on; parents come before
            children.
        stage (`str`): The stage of the model, which is highlighted.
        path (`Path`): The image file to write.
    """
    level: dict[str, int] = {}
    for name, made_of in parents.items():
        level[name] = 1 + max((level[parent] for parent in made_of), default=-1)
    columns = [[name for name in level if level[name] == number] for number in range(max(level.values()) + 1)]
    height = max(map(len, columns))
    figure = _new_figure(2.6 * len(columns), 0.6 * height + 0.6)
    axes = figure.subplots()
    place = {
        name: (2.6 * number, (height - len(column)) / 2 + row)
        for number, column in enumerate(columns)
        for row, name in enumerate(column)
    }
    for name, made_of in parents.items():
        for parent in made_of:
            arrow = {"arrowstyle": "-|>", "color": "gray", "shrinkA": 38, "shrinkB": 42}
            axes.annotate("", xy=place[name], xytext=place[parent], arrowprops=arrow)
        box = {"boxstyle": "round,pad=0.4", "facecolor": "#cfe2f3" if name == stage else "white", "edgecolor": "gray"}
        text = name.replace("-from-", "\nfrom-")
        axes.text(*place[name], text, ha="center", va="center", fontsize=8, bbox=box, **AS_IT_IS)
    axes.set_xlim(-1.2, 2.6 * (len(columns) - 1) + 1.2)
    axes.set_ylim(height - 0.4, -0.6)
    axes.set_axis_off()
    figure.savefig(path, dpi=120)


def plot_decisions(decisions: np.ndarray, targets: np.ndarray, labels: Sequence[str], path: Path) -> None:
    """Plot, for the texts annotated with each label, the fraction that was predicted to have each label.

    If texts have exactly one label, this is a confusion matrix and rows sum to 1; otherwise they need not.

    Args:
        decisions (`np.ndarray` of shape `(texts, num_labels)`): Predictions of the model, 0 or 1.
        targets (`np.ndarray` of shape `(texts, num_labels)`): Annotations, 0 or 1.
        labels (`Sequence[str]`): Names of the labels.
        path (`Path`): The image file to write.
    """
    counts = targets.sum(axis=0)[:, None]
    shares = targets.T @ decisions / np.maximum(counts, 1)
    size = 0.45 * len(labels) + 2
    figure = _new_figure(size + 0.8, size)
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    axes.set_xticks(range(len(labels)), labels, rotation=90, **AS_IT_IS)
    rows = [f"{name} ({int(count)})" for name, (count,) in zip(labels, counts, strict=True)]
    axes.set_yticks(range(len(labels)), rows, **AS_IT_IS)
    axes.set_xlabel("predicted")
    axes.set_ylabel("annotated (texts)")
    if len(labels) <= 12:
        for row, column in np.ndindex(*shares.shape):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{shares[row, column]:.2f}", ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(image, ax=axes, label="share of the annotated texts")
    figure.savefig(path, dpi=120)


def plot_scores(predictions: np.ndarray, targets: np.ndarray, outputs: Sequence[str], path: Path) -> None:
    """Plot predicted against annotated scores, one panel per output.

    Args:
        predictions (`np.ndarray` of shape `(texts, outputs)`): Predicted scores.
        targets (`np.ndarray` of shape `(texts, outputs)`): Annotated scores; NaN if missing.
        outputs (`Sequence[str]`): Names of the outputs.
        path (`Path`): The image file to write.
    """
    figure = _new_figure(3 * len(outputs), 3)
    pictures = figure.subplots(1, len(outputs), squeeze=False)[0]
    for axes, output, predicted, gold in zip(pictures, outputs, predictions.T, targets.T, strict=True):
        present = ~np.isnan(gold)
        axes.scatter(gold[present], predicted[present], s=6, alpha=0.4)
        axes.set_title(output, **AS_IT_IS)
        axes.set_xlabel("annotated")
        axes.set_ylabel("predicted")
    figure.savefig(path, dpi=120)


def plot_space(vectors: np.ndarray, targets: np.ndarray, labels: Sequence[str], path: Path) -> None:
    """Plot texts by the first two principal components of their embeddings, one panel per label.

    Args:
        vectors (`np.ndarray` of shape `(texts, size)`): Embeddings of the texts.
        targets (`np.ndarray` of shape `(texts, num_labels)`): Annotations, 0 or 1.
        labels (`Sequence[str]`): Names of the labels.
        path (`Path`): The image file to write.
    """
    from sklearn.decomposition import PCA

    analysis = PCA(n_components=2, random_state=0).fit(vectors)
    points = analysis.transform(vectors)
    columns = min(4, len(labels))
    rows = -(-len(labels) // columns)
    figure = _new_figure(2.2 * columns, 2.2 * rows + 0.4)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
    for axes, label, present in zip(grid, labels, targets.T.astype(bool), strict=False):
        axes.scatter(*points[~present].T, s=3, color="lightgray", rasterized=True)
        axes.scatter(*points[present].T, s=4, color="tab:blue", rasterized=True)
        axes.set_title(label, fontsize=9, **AS_IT_IS)
        axes.set_xticks([])
        axes.set_yticks([])
    for axes in list(figure.axes)[len(labels) :]:
        axes.set_axis_off()
    explained = 100 * analysis.explained_variance_ratio_.sum()
    figure.supxlabel(
        f"two principal components ({explained:.0f} % of the variance); blue: texts with the label", fontsize=8
    )
    figure.savefig(path, dpi=120)


def plot_attention(weights: Mapping[str, np.ndarray], names: Sequence[str], path: Path) -> None:
    """Plot how much each utterance of a dialogue attends to the others.

    Args:
        weights (`Mapping[str, np.ndarray]`): Maps each kind of attention to its weights
            `(utterances, utterances)`, with one row per attending utterance.
        names (`Sequence[str]`): Labels of the rows, in order; long ones are truncated.
        path (`Path`): The image file to write.
    """
    names = [name if len(name) <= 48 else name[:47] + "…" for name in names]
    size = 0.3 * len(names) + 1
    figure = _new_figure(size * len(weights) + 0.07 * max(map(len, names)) + 1, size + 0.8)
    for axes, (kind, values) in zip(
        figure.subplots(1, len(weights), sharey=True, squeeze=False)[0], weights.items(), strict=True
    ):
        image = axes.imshow(values, vmin=0, vmax=1, cmap="Blues")
        axes.set_xticks(range(len(names)), range(1, len(names) + 1))
        axes.set_yticks(range(len(names)), names, **AS_IT_IS)
        axes.set_title(kind, fontsize=9)
        axes.set_xlabel("utterance that is read")
    figure.colorbar(image, ax=figure.axes, label="weight")
    figure.savefig(path, dpi=120)
