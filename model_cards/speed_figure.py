"""The figure of what speed costs in scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

from .figures import AS_IT_IS, _in_legend, _new_figure, _short, _show_legend, never_fatal


@never_fatal
def plot_speeds(points: Mapping[str, Mapping[str, tuple[float, Sequence[float]]]], path: Path, metric: str) -> None:
    """Plot scores of models against their speed, with a line through the models of each kind.

    Args:
        points (`Mapping`): Maps each kind and model to its speed, as a multiple of one of them, and its scores, one per
            seed, as fractions.
        path (`Path`): The image file to write.
        metric (`str`): Name of the metric.
    """
    figure = _new_figure(8, 5)
    axes = figure.subplots()
    for number, (kind, models) in enumerate(points.items()):
        placed = sorted((speed, 100 * mean(scores), name, scores) for name, (speed, scores) in models.items())
        speeds, means = [one[0] for one in placed], [one[1] for one in placed]
        (line,) = axes.plot(speeds, means, marker="o", markersize=4, linewidth=1, label=_in_legend(kind))
        for speed, score, name, scores in placed:
            axes.plot([speed] * len(scores), [100 * value for value in scores], ".", color=line.get_color(), alpha=0.4)
            # Above and below by turns, since models of two kinds may lie close to each other.
            place, colour = (4, 4 if number % 2 else -9), line.get_color()
            offset = {"textcoords": "offset points", **AS_IT_IS}
            axes.annotate(_short(name), (speed, score), place, fontsize=7, color=colour, **offset)
    axes.set_xscale("log", subs=(2, 5))
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}")
    axes.set_xlabel("speed, times that of the stock pipeline with the teacher")
    axes.set_ylabel(f"{metric.replace('_', ' ')} x 100 (dev)")
    axes.grid(alpha=0.3)
    _show_legend(axes, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, dpi=120)
