"""What predicted scores, such as intensities, are worth: Pearson's correlation and the mean absolute error."""

from collections.abc import Sequence

import numpy as np


def regression_scores(predictions: np.ndarray, references: np.ndarray) -> dict[str, float]:
    """Pearson's correlation and mean absolute error, meaned over the outputs, as SemEval-2018 Task 1 scores EI-reg.

    Args:
        predictions (`np.ndarray` of shape `(texts, outputs)`): Predicted scores.
        references (`np.ndarray` of shape `(texts, outputs)` or, for one output, `(texts,)`): Gold scores, NaN where
            there is none. An output without any is left out.

    Returns:
        `dict[str, float]`: `pearson` and `mean_absolute_error`. The correlation with something constant is 0.

    Raises:
        ValueError: If the shapes differ, or there is no gold score.
    """
    each = per_output_scores(predictions, references)
    found = [scores for scores in each.values() if scores["support"]]
    if not found:
        raise ValueError("references hold no score: there is nothing to measure.")
    return {name: float(np.mean([scores[name] for scores in found])) for name in ("pearson", "mean_absolute_error")}


def per_output_scores(
    predictions: np.ndarray, references: np.ndarray, names: Sequence[str] | None = None
) -> dict[str, dict[str, float]]:
    """Pearson's correlation and mean absolute error of each output of a regression.

    Args:
        predictions (`np.ndarray`): As in [`regression_scores`].
        references (`np.ndarray`): As in [`regression_scores`].
        names (`Sequence[str]`, *optional*): Names of the outputs; their numbers without.

    Returns:
        `dict[str, dict[str, float]]`: By output, `pearson`, `mean_absolute_error` and `support`, the number of texts
        that have a gold score.

    Raises:
        ValueError: If the shapes differ, or the names are not as many as the outputs.
    """
    predictions = np.asarray(predictions, dtype=np.float64)
    references = np.asarray(references, dtype=np.float64)
    references = references[:, None] if references.ndim == 1 else references
    if predictions.shape != references.shape:
        raise ValueError(
            f"predictions and references must have the same shape, got {predictions.shape} and {references.shape}."
        )
    names = [str(index) for index in range(references.shape[1])] if names is None else names
    results = {}
    for name, predicted, gold in zip(names, predictions.T, references.T, strict=True):
        present = ~np.isnan(gold)
        predicted, gold = predicted[present], gold[present]
        error = np.abs(predicted - gold).mean() if len(gold) else 0.0
        constant = len(gold) < 2 or np.ptp(predicted) == 0 or np.ptp(gold) == 0
        results[name] = {
            "pearson": 0.0 if constant else float(np.corrcoef(predicted, gold)[0, 1]),
            "mean_absolute_error": float(error),
            "support": int(present.sum()),
        }
    return results


__all__ = ["per_output_scores", "regression_scores"]
