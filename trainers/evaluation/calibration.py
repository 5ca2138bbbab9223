"""How far probabilities are off, and the calibration that corrects them."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from .decisions import check_problem_type

BINS = 10
# A slope of 0 would make all texts equal, and a negative one would turn their order round.
_SMALLEST_SLOPE = 0.01
_DECIMALS = 6


@dataclass(frozen=True)
class ReliabilityBin:
    """
    The texts to which a classifier gives about the same probability of a label.

    Args:
        probability (`float`): Mean probability.
        frequency (`float`): Share of the texts in which the label is gold.
        texts (`int`): How many texts there are.
    """

    probability: float
    frequency: float
    texts: int


def fit_calibration(logits: np.ndarray, references: np.ndarray, problem_type: str) -> list[list[float]]:
    """Fit a slope and an intercept for the logits of each label, after which its probabilities are those of the texts.

    With several labels per text this is Platt scaling per label (Platt 1999, *Probabilistic Outputs for Support Vector
    Machines*), towards targets that are a little inside 0 and 1, so that a label with few texts stays away from
    certainty. With one label per text it is temperature scaling (Guo et al. 2017, *On Calibration of Modern Neural
    Networks*): one slope for all labels, and no intercepts. Slopes are positive, so that the order of texts, and with
    moved thresholds every decision, stays as it is.

    Args:
        logits (`np.ndarray` of shape `(texts, labels)`): Unnormalised scores, of texts that the model has not learnt
            from.
        references (`np.ndarray`): 0 or 1 `(texts, labels)`, NaN where nobody annotated a label, or class ids
            `(texts,)`.
        problem_type (`str`): `"multi_label_classification"` or `"single_label_classification"`.

    Returns:
        `list[list[float]]`: For each label `[slope, intercept]`, as in the `calibration` of the configs. A label that
        has no texts with it, or none without it, keeps its probabilities: `[1.0, 0.0]`.

    Raises:
        ValueError: If there are no texts, or the problem type has no probabilities.
    """
    logits, gold = _checked(logits, references, problem_type)
    if problem_type == "multi_label_classification":
        return [_platt(scores, labels) for scores, labels in zip(logits.T, gold.T, strict=True)]
    classes = gold.argmax(axis=1)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        said = log_softmax(parameters[0] * logits, axis=1)
        expected = (np.exp(said) * logits).sum(axis=1)
        texts = np.arange(len(logits))
        return -said[texts, classes].mean(), np.array([(expected - logits[texts, classes]).mean()])

    found = minimize(loss, [1.0], jac=True, method="L-BFGS-B", bounds=[(_SMALLEST_SLOPE, None)])
    return [[round(float(found.x[0]), _DECIMALS), 0.0]] * logits.shape[1]


def apply_calibration(logits: np.ndarray, calibration: list[list[float]]) -> np.ndarray:
    """Calibrated logits `(texts, labels)`, of logits of this shape."""
    slopes, intercepts = np.array(calibration).T
    return slopes * np.asarray(logits, dtype=np.float64) + intercepts


def reliability(logits: np.ndarray, references: np.ndarray, problem_type: str) -> list[list[ReliabilityBin]]:
    """Compare probabilities with how often labels are gold, in ten bins of equal width.

    The arguments are those of [`fit_calibration`]. With one label per text, each label is compared with all others.

    Returns:
        `list[list[ReliabilityBin]]`: For each label its bins that are not empty, by rising probability.
    """
    logits, gold = _checked(logits, references, problem_type)
    several = problem_type == "multi_label_classification"
    probabilities = expit(logits) if several else softmax(logits, axis=1)
    return [_bins(*_annotated(said, labels)) for said, labels in zip(probabilities.T, gold.T, strict=True)]


def calibration_error(bins: list[ReliabilityBin]) -> float:
    """Expected calibration error of a label: how far its probabilities are from the frequencies, on average over the
    texts (Naeini et al. 2015, *Obtaining Well Calibrated Probabilities Using Bayesian Binning*). 0 without texts."""
    texts = sum(one.texts for one in bins)
    return sum(one.texts * abs(one.probability - one.frequency) for one in bins) / max(texts, 1)


def _bins(probabilities: np.ndarray, gold: np.ndarray) -> list[ReliabilityBin]:
    numbers = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    return [
        ReliabilityBin(float(probabilities[rows].mean()), float(gold[rows].mean()), int(rows.sum()))
        for rows in (numbers == number for number in range(BINS))
        if rows.any()
    ]


def _platt(logits: np.ndarray, gold: np.ndarray) -> list[float]:
    logits, gold = _annotated(logits, gold)
    positives, negatives = int(gold.sum()), int(len(gold) - gold.sum())
    if not positives or not negatives:
        return [1.0, 0.0]
    targets = np.where(gold == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scores = parameters[0] * logits + parameters[1]
        errors = expit(scores) - targets
        value = (np.logaddexp(0.0, scores) - targets * scores).mean()
        return value, np.array([(errors * logits).mean(), errors.mean()])

    found = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(_SMALLEST_SLOPE, None), (None, None)])
    return [round(float(value), _DECIMALS) for value in found.x]


def _annotated(values: np.ndarray, gold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    there = ~np.isnan(gold)
    return values[there], gold[there]


def _checked(logits: np.ndarray, references: np.ndarray, problem_type: str) -> tuple[np.ndarray, np.ndarray]:
    """Logits in double precision, and labels as 0, 1 and NaN of the same shape."""
    check_problem_type(problem_type)
    if problem_type == "regression":
        raise ValueError("A regression has no probabilities to calibrate.")
    logits, references = np.asarray(logits, dtype=np.float64), np.asarray(references)
    if logits.ndim != 2 or not logits.size:
        raise ValueError(f"logits must be of shape (texts, labels) with at least one text, got {logits.shape}.")
    if problem_type == "single_label_classification":
        if references.shape != logits.shape[:1] or not np.isin(references, np.arange(logits.shape[1])).all():
            raise ValueError(f"references must be class ids of shape ({len(logits)},) below {logits.shape[1]}.")
        return logits, np.eye(logits.shape[1])[references.astype(int)]
    if references.shape != logits.shape:
        raise ValueError(f"references must be of shape {logits.shape}, as the logits are, got {references.shape}.")
    return logits, references.astype(np.float64)


__all__ = ["BINS", "ReliabilityBin", "apply_calibration", "calibration_error", "fit_calibration", "reliability"]
