"""How well scores rank texts, whatever the thresholds."""

import numpy as np
from sklearn.metrics import average_precision_score


def average_precisions(scores: np.ndarray, references: np.ndarray) -> list[float | None]:
    """Average precision of each label: the mean, over the texts with the label, of the precision among the texts that
    score at least as high.

    Args:
        scores (`np.ndarray` of shape `(texts, labels)`): Logits or probabilities.
        references (`np.ndarray` of shape `(texts, labels)`): 0 or 1; NaN where nobody annotated a label, which is left
            out.

    Returns:
        `list[float | None]`: One per label, as fractions; `None` for a label that no text has.
    """
    found: list[float | None] = []
    for values, gold in zip(np.asarray(scores).T, np.asarray(references).T, strict=True):
        there = ~np.isnan(gold)
        there_is_one = (gold[there] == 1).any()
        found.append(float(average_precision_score(gold[there], values[there])) if there_is_one else None)
    return found


__all__ = ["average_precisions"]
