"""Label loss of every head, averaged over the labelled rows of a batch."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

PROBLEM_TYPES = ("multi_label_classification", "single_label_classification", "regression")
# The choice is for multi-label heads; the others support "cross_entropy" only.
LABEL_LOSSES = ("cross_entropy", "asymmetric", "correlation")
IGNORE_INDEX = -100
# Defaults of the published implementations of the asymmetric loss, and of SpanEmo for the correlation loss.
NEGATIVE_FOCUS, MARGIN = 4, 0.05
CORRELATION_SHARE = 0.2


def check_label_loss(kind: str, problem_type: str) -> None:
    """Check that a loss is applicable to a head.

    Args:
        kind (`str`): Name of the loss.
        problem_type (`str`): Problem type of the head.

    Raises:
        ValueError: If the loss is not one of `LABEL_LOSSES`, or it needs a multi-label head and this is not one.
    """
    if kind not in LABEL_LOSSES:
        raise ValueError(f"label_loss must be one of {', '.join(LABEL_LOSSES)}, got {kind!r}.")
    if kind != "cross_entropy" and problem_type != "multi_label_classification":
        raise ValueError(f'label_loss="{kind}" needs problem_type="multi_label_classification", got {problem_type!r}.')


def present_labels(labels: torch.Tensor) -> torch.Tensor:
    """Mask of the labels that are present; missing ones are -100 (class ids) or NaN (multi-hot labels, scores).

    Args:
        labels (`torch.Tensor`): Labels of one task, of any shape.

    Returns:
        `torch.BoolTensor` of the same shape.
    """
    return ~labels.isnan() if labels.is_floating_point() else labels != IGNORE_INDEX


def labelled_rows(labels: torch.Tensor) -> torch.Tensor:
    """Mask of the rows in which every label of a task is present.

    Args:
        labels (`torch.Tensor` of shape `(batch,)` or `(batch, num_labels)`): Labels of one task.

    Returns:
        `torch.BoolTensor` of shape `(batch,)`.
    """
    present = present_labels(labels)
    return present if present.dim() == 1 else present.all(dim=1)


def count_labelled(labels: torch.Tensor) -> torch.Tensor:
    """Number of labelled rows of a task; a partly labelled row counts as the fraction of its labels that are present.

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
    kind: str = "cross_entropy",
) -> torch.Tensor:
    """Binary cross-entropy (or another multi-label loss), cross-entropy or squared error, averaged over the labels
    that are present.

    A row may be partly labelled (for example with the intensities of only those emotions that were annotated), so the
    mean is taken over labels, not over rows. A batch without labels has loss 0 and zero gradients, not NaN.

    Args:
        logits (`torch.FloatTensor` of shape `(batch, num_labels)`): Unnormalised scores.
        labels (`torch.Tensor`): Multi-hot floats `(batch, num_labels)` for `multi_label_classification`, class ids
            `(batch,)` for `single_label_classification`, floats `(batch,)` or `(batch, num_labels)` for `regression`.
        problem_type (`str`): One of `PROBLEM_TYPES`.
        num_items (`torch.Tensor` or `float`, *optional*): [`count_labelled`] of the global batch if this batch is only
            a part of it, so that the losses of the parts add up to the loss of the whole.
        class_weights (`Sequence[float]`, *optional*): One per label: the weight of a text of that class (single-label)
            or of a positive relative to a negative (multi-label). The mean is still taken over the number of texts.
        kind (`str`, defaults to `"cross_entropy"`): For multi-label heads, `"asymmetric"` replaces binary cross-entropy
            by [`asymmetric_losses`], and `"correlation"` mixes 0.8 of it with 0.2 of [`correlation_losses`].

    Returns:
        `torch.FloatTensor`, a scalar.

    Raises:
        ValueError: If `problem_type` or `kind` is unknown, or `kind` is not applicable to `problem_type`.
    """
    check_label_loss(kind, problem_type)
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
        elif kind == "asymmetric":
            losses = asymmetric_losses(logits, targets, weights)
        else:
            losses = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights, reduction="none")
        if kind == "correlation":
            per_text = correlation_losses(logits, targets, present)
            losses = (1 - CORRELATION_SHARE) * losses + CORRELATION_SHARE * per_text.unsqueeze(1)
        total = losses.where(present, 0.0).sum() / logits.shape[1]
    else:
        raise ValueError(f"problem_type must be one of {', '.join(PROBLEM_TYPES)}, got {problem_type!r}.")
    items = torch.as_tensor(num_items, device=total.device)
    return total / items.where(items > 0, 1)


def asymmetric_losses(
    logits: torch.Tensor, targets: torch.Tensor, positive_weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Binary cross-entropy that down-weights absent labels which are already predicted to be unlikely.

    For an absent label with probability p, log(1 - p) becomes q^4 log(1 - q) with q = max(p - 0.05, 0); for a present
    label, log p is unchanged (Ridnik et al. 2021, *Asymmetric Loss for Multi-Label Classification*).

    Args:
        logits (`torch.FloatTensor` of shape `(batch, num_labels)`): Unnormalised scores.
        targets (`torch.FloatTensor` of shape `(batch, num_labels)`): 0 or 1, or the probability of each label.
        positive_weights (`torch.FloatTensor` of shape `(num_labels,)`, *optional*): Weight of each
            label where it is present.

    Returns:
        `torch.FloatTensor` of shape `(batch, num_labels)`.
    """
    shifted = (logits.sigmoid() - MARGIN).clamp(min=0)
    positives = targets * F.logsigmoid(logits)
    if positive_weights is not None:
        positives = positives * positive_weights
    return -positives - (1 - targets) * shifted**NEGATIVE_FOCUS * torch.log1p(-shifted)


def correlation_losses(logits: torch.Tensor, targets: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Penalise texts whose absent labels score higher than their present ones.

    The mean of exp(p - q) over all pairs of an absent label with probability p and a present label with probability q;
    0 if there is no such pair. This is the label-correlation aware loss of Alhuzali and Ananiadou 2021, *SpanEmo:
    Casting Multi-label Emotion Classification as Span-prediction*.

    Args:
        logits (`torch.FloatTensor` of shape `(batch, num_labels)`): Unnormalised scores.
        targets (`torch.FloatTensor` of shape `(batch, num_labels)`): 0 or 1, or the probability of each label. Pairs
            are then weighted by probability; a label may form a pair with itself, which has no effect on gradients.
        present (`torch.BoolTensor` of shape `(batch, num_labels)`): Which labels are known.

    Returns:
        `torch.FloatTensor` of shape `(batch,)`.
    """
    probabilities = logits.sigmoid()
    has, lacks = targets.where(present, 0.0), (1 - targets).where(present, 0.0)
    pairs = has.sum(dim=1) * lacks.sum(dim=1)
    total = (lacks * probabilities.exp()).sum(dim=1) * (has * (-probabilities).exp()).sum(dim=1)
    return total / pairs.where(pairs > 0, 1.0)
