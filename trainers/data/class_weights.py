"""Class weights: how much rare labels count in the label loss."""

from collections.abc import Sequence

import numpy as np

CLASS_WEIGHT_MODES = ("none", "balanced", "sqrt")


def class_weights(labels: np.ndarray, names: Sequence[str], mode: str) -> list[float]:
    """Weights of the labels by how rare they are among the training texts.

    Args:
        labels (`np.ndarray`): Class ids `(texts,)`, or multi-hot `(texts, labels)`, NaN where nobody
            annotated.
        names (`Sequence[str]`): The labels' names.
        mode (`str`): `"balanced"`: texts of all classes weigh the same in sum, and one text weighs 1 in the mean
            (single-label); the positives of a label weigh as much as its negatives (multi-label). `"sqrt"`: the square
            root of that, for single-label data scaled to the same mean.

    Returns:
        `list[float]`, one per label, as [`~modeling_csr.losses.label_loss`] takes them.

    Raises:
        ValueError: If a label has no training text, or a multi-label one no text without it.
    """
    multi_label = labels.ndim == 2
    texts = (~np.isnan(labels)).sum(axis=0) if multi_label else np.full(len(names), len(labels))
    counts = np.nansum(labels, axis=0) if multi_label else np.bincount(labels, minlength=len(names))
    for name, count, annotated in zip(names, counts, texts, strict=True):
        if count == 0 or (multi_label and count == annotated):
            raise ValueError(
                f"--class_weights {mode}: {'every' if count else 'no'} training text has the label {name!r}, so it "
                "cannot be weighted. Leave the label out, or give --class_weights none."
            )
    weights = (texts - counts) / counts if multi_label else texts / (len(names) * counts)
    if mode == "sqrt":
        weights = np.sqrt(weights)
        if not multi_label:
            weights = weights * len(labels) / (weights * counts).sum()
    return [float(weight) for weight in weights]
