"""Figures for model cards and result tables."""

import functools
import inspect
import logging
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from .escaping import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

# Names come from data, where dollar signs do not delimit mathematics.
AS_IT_IS: dict[str, Any] = {"parse_math": False}
LONGEST_NAME = 48
# In inches. matplotlib draws no image of more than 65,536 pixels, and people read none that is much larger than this.
LARGEST = 24.0
TICK_HEIGHT = 0.16
MOST_PANELS = 48

P = ParamSpec("P")


def never_fatal(plot: Callable[P, None]) -> Callable[P, None]:
    """Leave out a figure that cannot be drawn, with a warning: no figure is worth the training that it shows."""

    @functools.wraps(plot)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        path: Path = inspect.signature(plot).bind(*args, **kwargs).arguments["path"]
        try:
            plot(*args, **kwargs)
        except Exception as error:
            logger.debug("%s could not be drawn:", path, exc_info=True)
            logger.warning("%s could not be drawn and is left out (%s: %s).", path, type(error).__name__, error)
            path.unlink(missing_ok=True)

    return guarded


def _short(name: object) -> str:
    """A name as it stands in a figure: one printable line that leaves room for the figure."""
    line = one_line(name)
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1] + "…"


def _label_ticks(axis: Any, names: Sequence[str], length: float, **kwargs: Any) -> None:
    """Label the ticks of an axis of `length` inches, leaving out those for which there is no room."""
    step = math.ceil(TICK_HEIGHT * len(names) / length)
    axis.set_ticks(range(0, len(names), step), [_short(name) for name in names[::step]], **kwargs, **AS_IT_IS)


def _show_legend(axes: "Axes", **kwargs: Any) -> None:
    for text in axes.legend(**kwargs).get_texts():
        text.set_parse_math(False)


def _in_legend(name: str) -> str:
    # matplotlib leaves names out that begin with an underscore.
    return f" {_short(name)}" if name.startswith("_") else _short(name)


def _new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure, sized in inches. matplotlib is imported on first use, since it is slow to load."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _panels(number: int, columns: int, size: float, foot: float = 0.0, **kwargs: Any) -> tuple["Figure", "list[Axes]"]:
    """Return a figure with a grid of square panels and a foot, sized in inches; panels left over are hidden."""
    columns = min(columns, number)
    rows = -(-number // columns)
    figure = _new_figure(size * columns, size * rows + foot)
    panels = list(figure.subplots(rows, columns, squeeze=False, **kwargs).flat)
    for axes in panels[number:]:
        axes.set_axis_off()
    return figure, panels[:number]


@never_fatal
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
            label = "dev loss" if name == "eval_loss" else _in_legend(name.replace("_", " "))
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    if axes.lines:
        _show_legend(axes)
    figure.savefig(path, dpi=120)


@never_fatal
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
        axes.set_yticks(range(len(scores)), [_short(name) for name in scores], **AS_IT_IS)
        axes.set_ylim(len(scores) - 0.5, -0.5)
        axes.grid(axis="x", alpha=0.3)
        axes.set_xlabel(f"{metric.replace('_', ' ')} x 100")
    figure.suptitle(one_line(title), **AS_IT_IS)
    figure.savefig(path, dpi=120)


@never_fatal
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
        (line,) = axes.plot(counts, means, marker="o", markersize=4, label=_in_legend(recipe))
        axes.fill_between(counts, list(map(min, values)), list(map(max, values)), color=line.get_color(), alpha=0.08)
    axes.set_xscale("log")
    measured = sorted({share * texts for by_share in scores.values() for share in by_share})
    axes.set_xticks(measured, [f"{count:,.0f}" for count in measured])
    axes.minorticks_off()
    axes.set_xlabel("labelled training texts")
    axes.set_ylabel(f"{metric.replace('_', ' ')} x 100 (dev)")
    axes.grid(alpha=0.3)
    # Many curves leave no room for a legend inside the axes.
    _show_legend(axes, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, dpi=120)


@never_fatal
def plot_growth(curves: Mapping[str, Sequence[tuple[float, float, float, float]]], path: Path, measured: int) -> None:
    """Plot scores against the number of training texts, and how they are likely to go on.

    Args:
        curves (`Mapping`): Maps each metric to points `(texts, score, low, high)`, the last three as fractions.
        path (`Path`): The image file to write.
        measured (`int`): How many points of each curve were measured; the rest is dashed.
    """
    figure = _new_figure(6, 4)
    axes = figure.subplots()
    for metric, points in curves.items():
        texts, *scores = (np.array(values) for values in zip(*points, strict=True))
        score, low, high = (100 * values for values in scores)
        label = _in_legend(metric.replace("_", " "))
        (line,) = axes.plot(texts[:measured], score[:measured], marker="o", markersize=4, label=label)
        axes.plot(texts[measured - 1 :], score[measured - 1 :], linestyle="--", color=line.get_color())
        axes.fill_between(texts, low, high, color=line.get_color(), alpha=0.12)
    axes.set_xlabel("training texts")
    axes.set_ylabel("score x 100 (cross-validation)")
    axes.grid(alpha=0.3)
    _show_legend(axes, loc="lower right")
    figure.savefig(path, dpi=120)


@never_fatal
def plot_stages(
    parents: Mapping[str, Sequence[str]], stage: str, path: Path, encoders: Mapping[str, str] | None = None
) -> None:
    """Draw the stages that led to a model, with arrows from each stage to those built on it.

    Args:
        parents (`Mapping[str, Sequence[str]]`): Maps each stage to the stages it is built on; parents come before
            children.
        stage (`str`): The stage of the model, which is highlighted.
        path (`Path`): The image file to write.
        encoders (`Mapping[str, str]`, *optional*): Maps stages to the name of the pretrained encoder that they start
            from, which may be that of a stage.
    """
    encoders = encoders or {}
    # Stages and encoders have names of their own, so that what a user calls an encoder is never taken for a stage.
    made_of: dict[tuple[str, str], list[tuple[str, str]]] = {("encoder", name): [] for name in encoders.values()}
    for name, stages in parents.items():
        own_encoder = [("encoder", encoders[name])] if name in encoders else []
        made_of["stage", name] = [*(("stage", parent) for parent in stages), *own_encoder]
    level: dict[tuple[str, str], int] = {}
    for node, sources in made_of.items():
        level[node] = 1 + max((level[source] for source in sources), default=-1)
    columns = [[node for node in level if level[node] == number] for number in range(max(level.values()) + 1)]
    height = max(map(len, columns))
    figure = _new_figure(2.6 * len(columns), 0.6 * height + 0.6)
    axes = figure.subplots()
    place = {
        node: (2.6 * number, (height - len(column)) / 2 + row)
        for number, column in enumerate(columns)
        for row, node in enumerate(column)
    }
    for node, sources in made_of.items():
        for source in sources:
            arrow = {"arrowstyle": "-|>", "color": "gray", "shrinkA": 38, "shrinkB": 42}
            axes.annotate("", xy=place[node], xytext=place[source], arrowprops=arrow)
        highlighted = node == ("stage", stage)
        box = {"boxstyle": "round,pad=0.4", "facecolor": "#cfe2f3" if highlighted else "white", "edgecolor": "gray"}
        text = _short(node[1]).replace("-from-", "\nfrom-")
        axes.text(*place[node], text, ha="center", va="center", fontsize=8, bbox=box, **AS_IT_IS)
    axes.set_xlim(-1.2, 2.6 * (len(columns) - 1) + 1.2)
    axes.set_ylim(height - 0.4, -0.6)
    axes.set_axis_off()
    figure.savefig(path, dpi=120)


@never_fatal
def plot_decisions(decisions: np.ndarray, targets: np.ndarray, labels: Sequence[str], path: Path) -> None:
    """Plot, for the texts annotated with each label, the fraction that was predicted to have each label.

    If texts have exactly one label, this is a confusion matrix and rows sum to 1; otherwise they need not.

    Args:
        decisions (`np.ndarray` of shape `(texts, num_labels)`): Predictions of the model, 0 or 1.
        targets (`np.ndarray` of shape `(texts, num_labels)`): Annotations, 0 or 1; NaN if missing.
        labels (`Sequence[str]`): Names of the labels.
        path (`Path`): The image file to write.
    """
    targets = np.nan_to_num(targets)
    counts = targets.sum(axis=0)[:, None]
    # With floats, the product of thousands of labels takes seconds rather than minutes.
    shares = targets.T.astype(np.float32) @ decisions.astype(np.float32) / np.maximum(counts, 1)
    size = min(0.45 * len(labels) + 2, LARGEST)
    figure = _new_figure(size + 0.8, size)
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    _label_ticks(axes.xaxis, labels, size - 2, rotation=90)
    rows = [f"{_short(name)} ({int(count)})" for name, (count,) in zip(labels, counts, strict=True)]
    _label_ticks(axes.yaxis, rows, size - 2)
    axes.set_xlabel("predicted")
    axes.set_ylabel("annotated (texts)")
    if len(labels) <= 12:
        for row, column in np.ndindex(*shares.shape):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{shares[row, column]:.2f}", ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(image, ax=axes, label="share of the annotated texts")
    figure.savefig(path, dpi=120)


@never_fatal
def plot_scores(predictions: np.ndarray, targets: np.ndarray, outputs: Sequence[str], path: Path) -> None:
    """Plot predicted against annotated scores, one panel per output, for the first 48 outputs.

    Args:
        predictions (`np.ndarray` of shape `(texts, outputs)`): Predicted scores.
        targets (`np.ndarray` of shape `(texts, outputs)`): Annotated scores; NaN if missing.
        outputs (`Sequence[str]`): Names of the outputs.
        path (`Path`): The image file to write.
    """
    outputs = outputs[:MOST_PANELS]
    figure, pictures = _panels(len(outputs), 8, 3.0)
    for axes, output, predicted, gold in zip(pictures, outputs, predictions.T, targets.T, strict=False):
        present = ~np.isnan(gold)
        axes.scatter(gold[present], predicted[present], s=6, alpha=0.4)
        axes.set_title(_short(output), **AS_IT_IS)
        axes.set_xlabel("annotated")
        axes.set_ylabel("predicted")
    figure.savefig(path, dpi=120)


@never_fatal
def plot_space(vectors: np.ndarray, targets: np.ndarray, labels: Sequence[str], path: Path) -> None:
    """Plot texts by the first two principal components of their embeddings, one panel per label, for the
    first 48 labels.

    Args:
        vectors (`np.ndarray` of shape `(texts, size)`): Embeddings of the texts.
        targets (`np.ndarray` of shape `(texts, num_labels)`): Annotations, 0 or 1.
        labels (`Sequence[str]`): Names of the labels.
        path (`Path`): The image file to write.
    """
    from sklearn.decomposition import PCA

    analysis = PCA(n_components=2, random_state=0).fit(vectors)
    points = analysis.transform(vectors)
    labels = labels[:MOST_PANELS]
    figure, pictures = _panels(len(labels), 4, 2.2, foot=0.4, sharex=True, sharey=True)
    for axes, label, present in zip(pictures, labels, targets.T.astype(bool), strict=False):
        axes.scatter(points[~present, 0], points[~present, 1], s=3, color="lightgray", rasterized=True)
        axes.scatter(points[present, 0], points[present, 1], s=4, color="tab:blue", rasterized=True)
        axes.set_title(_short(label), fontsize=9, **AS_IT_IS)
        axes.set_xticks([])
        axes.set_yticks([])
    explained = 100 * analysis.explained_variance_ratio_.sum()
    figure.supxlabel(
        f"two principal components ({explained:.0f} % of the variance); blue: texts with the label", fontsize=8
    )
    figure.savefig(path, dpi=120)


@never_fatal
def plot_attention(weights: Mapping[str, np.ndarray], names: Sequence[str], path: Path) -> None:
    """Plot how much each utterance of a dialogue attends to the others.

    Args:
        weights (`Mapping[str, np.ndarray]`): Maps each kind of attention to its weights
            `(utterances, utterances)`, with one row per attending utterance.
        names (`Sequence[str]`): Labels of the rows, in order; long ones are truncated.
        path (`Path`): The image file to write.
    """
    size = min(0.3 * len(names) + 1, LARGEST)
    figure = _new_figure(size * len(weights) + 0.07 * max(len(_short(name)) for name in names) + 1, size + 0.8)
    for axes, (kind, values) in zip(
        figure.subplots(1, len(weights), sharey=True, squeeze=False)[0], weights.items(), strict=True
    ):
        image = axes.imshow(values, vmin=0, vmax=1, cmap="Blues")
        _label_ticks(axes.xaxis, [str(number) for number in range(1, len(names) + 1)], size - 1)
        _label_ticks(axes.yaxis, names, size - 1)
        axes.set_title(kind, fontsize=9)
        axes.set_xlabel("utterance that is read")
    figure.colorbar(image, ax=figure.axes, label="weight")
    figure.savefig(path, dpi=120)
