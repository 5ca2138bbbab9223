"""The label loss of every head: the mean over the labelled rows of a batch."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

PROBLEM_TYPES = ("multi_label_classification", "single_label_classification", "regression")
IGNORE_INDEX = -100


def labelled_rows(labels: torch.Tensor) -> torch.Tensor:
    """Which rows carry a label: missing ones are -100 (class ids) or NaN (multi-hot labels, scores).

    Args:
        labels (`torch.Tensor` of shape `(batch,)` or `(batch, num_labels)`): Labels of one task.

    Returns:
        `torch.BoolTensor` of shape `(batch,)`.
    """
    present = ~labels.isnan() if labels.is_floating_point() else labels != IGNORE_INDEX
    return present if present.dim() == 1 else present.all(dim=1)


def label_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    problem_type: str,
    num_items: torch.Tensor | int | None = None,
    class_weights: Sequence[float] | None = None,
) -> torch.Tensor:
    """Binary cross-entropy (mean over the labels), cross-entropy or squared error, averaged over the labelled rows.

    A batch without any labelled row has loss 0 (and zero gradients), not NaN.

    Args:
        logits (`torch.FloatTensor` of shape `(batch, num_labels)`): Unnormalised scores.
        labels (`torch.Tensor`): Multi-hot floats `(batch, num_labels)` for `multi_label_classification`, class ids
            `(batch,)` for `single_label_classification`, floats `(batch,)` or `(batch, num_labels)` for `regression`.
        problem_type (`str`): One of `PROBLEM_TYPES`.
        num_items (`torch.Tensor` or `int`, *optional*): Labelled rows in the whole global batch, where this batch is a
            part of it: the losses of the parts then add up to the loss of the whole.
        class_weights (`Sequence[float]`, *optional*): One a label: what a text of that class counts (single-label), or
            what a positive counts against a negative (multi-label). The mean is still taken over the number of texts.

    Returns:
        `torch.FloatTensor`, a scalar.

    Raises:
        ValueError: If `problem_type` is unknown.
    """
    rows = labelled_rows(labels)
    logits, labels = logits[rows].float(), labels[rows]
    weights = None if class_weights is None else torch.tensor(class_weights, device=logits.device)
    if problem_type == "multi_label_classification":
        losses = F.binary_cross_entropy_with_logits(logits, labels.float(), pos_weight=weights, reduction="none")
        losses = losses.mean(dim=1)
    elif problem_type == "single_label_classification":
        losses = F.cross_entropy(logits, labels.long(), weight=weights, reduction="none")
    elif problem_type == "regression":
        losses = F.mse_loss(logits, labels.float().reshape_as(logits), reduction="none").mean(dim=1)
    else:
        raise ValueError(f"problem_type must be one of {', '.join(PROBLEM_TYPES)}, got {problem_type!r}.")
    if num_items is None:
        num_items = len(losses)
    return losses.sum() / torch.as_tensor(num_items, device=losses.device).clamp(min=1)
