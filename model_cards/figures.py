"""The figures a card shows."""

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
