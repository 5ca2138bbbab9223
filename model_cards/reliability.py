"""The figure of how far probabilities can be believed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .figures import AS_IT_IS, MOST_PANELS, _panels, _short, never_fatal


@never_fatal
def plot_reliability(points: Mapping[str, Sequence[Sequence[tuple[float, float]]]], path: Path) -> None:
    """Plot how often labels are annotated against their probability, one panel per label, for the first 48 labels.

    Args:
        points (`Mapping`): Maps each label to a curve before a calibration and one after it, each of points
            `(mean probability, share of the texts with the label)`.
        path (`Path`): The image file to write.
    """
    labels = list(points)[:MOST_PANELS]
    figure, pictures = _panels(len(labels), 4, 2.2, foot=0.4, sharex=True, sharey=True)
    for axes, label in zip(pictures, labels, strict=True):
        axes.plot([0, 1], [0, 1], color="lightgray", linewidth=1)
        for curve, colour in zip(points[label], ("tab:gray", "tab:blue"), strict=True):
            axes.plot(*zip(*curve, strict=True), marker="o", markersize=3, linewidth=1, color=colour)
        axes.set_title(_short(label), fontsize=9, **AS_IT_IS)
    figure.supxlabel("probability (grey: as it was; blue: calibrated)", fontsize=8)
    figure.supylabel("share of the texts that are annotated with the label", fontsize=8)
    figure.savefig(path, dpi=120)
