"""The label loss of every head: the mean over the labelled rows of a batch."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

PROBLEM_TYPES = ("multi_label_classification", "single_label_classification", "regression")
IGNORE_INDEX = -100


def present_labels(labels: torch.Tensor) -> torch.Tensor:
    """Which labels are there: missing ones are -100 (class ids) or NaN (multi-hot labels, scores).

    Args:
        labels (`torch.Tensor`): Labels of one task, of any shape.

    Returns:
        `torch.BoolTensor` of the same shape.
    """
    return ~labels.isnan() if labels.is_floating_point() else labels != IGNORE_INDEX


def labelled_rows(labels: torch.Tensor) -> torch.Tensor:
    """Which rows carry all labels of a task.

    Args:
        labels (`torch.Tensor` of shape `(batch,)` or `(batch, num_labels)`): Labels of one task.

    Returns:
        `torch.BoolTensor` of shape `(batch,)`.
    """
    present = present_labels(labels)
    return present if present.dim() == 1 else present.all(dim=1)


def count_labelled(labels: torch.Tensor) -> torch.Tensor:
    """How many rows carry labels of a task; one that carries some of them counts for their share.

    Args:
        labels (`torch.Tensor` of shape `(batch,)` or `(batch, num_labels)`): Labels of one task.

    Returns:
        `torch.FloatTensor`, a scalar.
    """
    width = 1 if labels.dim() == 1 else labels.shape[1]
    return present_labels(labels).sum() / width


def label_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    problem_type: str,
    num_items: torch.Tensor | float | None = None,
    class_weights: Sequence[float] | None = None,
) -> torch.Tensor:
    """Binary cross-entropy, cross-entropy or squared error, averaged over what is labelled.

    A row may carry some of the labels (such as the intensities of those emotions that were annotated): the mean is over
    all labels that are there, not over the rows. A batch without any has loss 0 (and zero gradients), not NaN.

    Args:
        logits (`torch.FloatTensor` of shape `(batch, num_labels)`): Unnormalised scores.
        labels (`torch.Tensor`): Multi-hot floats `(batch, num_labels)` for `multi_label_classification`, class ids
            `(batch,)` for `single_label_classification`, floats `(batch,)` or `(batch, num_labels)` for `regression`.
        problem_type (`str`): One of `PROBLEM_TYPES`.
        num_items (`torch.Tensor` or `float`, *optional*): What [`count_labelled`] says of the whole global batch, where
            this batch is a part of it: the losses of the parts then add up to the loss of the whole.
        class_weights (`Sequence[float]`, *optional*): One a label: what a text of that class counts (single-label), or
            what a positive counts against a negative (multi-label). The mean is still taken over the number of texts.

    Returns:
        `torch.FloatTensor`, a scalar.

    Raises:
        ValueError: If `problem_type` is unknown.
    """
    if num_items is None:
        num_items = count_labelled(labels)
    logits = logits.float()
    weights = None if class_weights is None else torch.tensor(class_weights, device=logits.device)
    if problem_type == "single_label_classification":
        rows = labelled_rows(labels)
        total = F.cross_entropy(logits[rows], labels[rows].long(), weight=weights, reduction="none").sum()
    elif problem_type in PROBLEM_TYPES:
        labels = labels.reshape_as(logits)
        present = present_labels(labels)
        targets = labels.float().where(present, 0.0)
        if problem_type == "regression":
            losses = F.mse_loss(logits, targets, reduction="none")
        else:
            losses = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights, reduction="none")
        total = losses.where(present, 0.0).sum() / logits.shape[1]
    else:
        raise ValueError(f"problem_type must be one of {', '.join(PROBLEM_TYPES)}, got {problem_type!r}.")
    items = torch.as_tensor(num_items, device=total.device)
    return total / items.where(items > 0, 1)
