"""What a model's predictions are worth: Jaccard, precision, recall and F1, overall and by label."""

from collections.abc import Sequence
from typing import Any

import evaluate
import numpy as np
from datasets import Features, Value
from datasets import Sequence as SequenceFeature

HEADLINE = {
    "multi_label_classification": ("jaccard", "micro_f1", "macro_f1"),
    "single_label_classification": ("accuracy", "macro_f1", "weighted_f1"),
    "regression": ("pearson",),
}
CLASSIFICATION = ("multi_label_classification", "single_label_classification")


class _InMemoryMetric(evaluate.Metric):
    """A metric that touches no disk: the stock one makes a folder in the cache as soon as it is instantiated, and
    writes an Arrow file there, which fails where the cache is read-only and collides between processes."""

    def __init__(self, config_name: str | None = None, keep_in_memory: bool = True, **kwargs: Any) -> None:
        super().__init__(config_name=config_name, keep_in_memory=keep_in_memory, **kwargs)

    def _build_data_dir(self) -> str:
        return "" if self.keep_in_memory else super()._build_data_dir()


class MultiLabelMetric(_InMemoryMetric):
    """
    Jaccard, exact match, and micro- and macro-averaged precision, recall and F1 of multi-label predictions.

    `jaccard` is the accuracy of SemEval-2018 Task 1 E-c: the mean over the texts of |gold ∩ predicted| / |gold ∪
    predicted|, where a text with neither counts 1. In `jaccard_zero` such a text counts 0. A label without any
    positive, gold or predicted, has precision, recall and F1 0, and the macro averages include it.

    Example:

    ```python
    >>> from trainers.evaluation.metrics import MultiLabelMetric

    >>> metric = MultiLabelMetric()
    >>> metric.compute(predictions=[[1, 1], [0, 0]], references=[[1, 0], [0, 0]])["jaccard"]
    0.75
    ```
    """

    def _info(self) -> evaluate.MetricInfo:
        # Floats, because integer features would cut a probability down to 0 before it could be refused.
        row = SequenceFeature(Value("float64"))
        return evaluate.MetricInfo(
            description="Jaccard, exact match, and micro- and macro-averaged precision, recall and F1.",
            citation="",
            inputs_description="predictions, references: for each text, a list of 0 or 1, one a label.",
            features=Features({"predictions": row, "references": row}),
        )

    def _compute(self, predictions: list[list[float]], references: list[list[float]]) -> dict[str, float]:
        return multi_label_scores(np.array(predictions), np.array(references))


class SingleLabelMetric(_InMemoryMetric):
    """
    Accuracy, micro, macro and weighted F1, and macro-averaged recall of class ids.

    `compute` takes `num_labels` as well: the macro averages are then over all classes, not over those that occur in
    the predictions or the references only.

    Example:

    ```python
    >>> from trainers.evaluation.metrics import SingleLabelMetric

    >>> SingleLabelMetric().compute(predictions=[0, 1, 1, 0], references=[0, 1, 0, 1])["accuracy"]
    0.5
    ```
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Accuracy, micro, macro and weighted F1, and macro-averaged recall.",
            citation="",
            inputs_description="predictions, references: class ids. num_labels (optional): how many classes there are.",
            features=Features({"predictions": Value("int64"), "references": Value("int64")}),
        )

    def _compute(
        self, predictions: list[int], references: list[int], num_labels: int | None = None
    ) -> dict[str, float]:
        return single_label_scores(np.array(predictions), np.array(references), num_labels)


def multi_label_scores(predictions: np.ndarray, references: np.ndarray) -> dict[str, float]:
    """What `MultiLabelMetric` computes, on arrays.

    Args:
        predictions (`np.ndarray` of shape `(texts, labels)`): 0 or 1.
        references (`np.ndarray` of shape `(texts, labels)`): 0 or 1.

    Returns:
        `dict[str, float]`: `jaccard`, `jaccard_zero`, `exact_match`, and `micro_` and `macro_` `precision`, `recall`
        and `f1`, all as fractions.

    Raises:
        ValueError: If the shapes differ, there is no row, or a value is neither 0 nor 1.
    """
    predicted, gold = _multi_hot(predictions, references)
    union = (predicted | gold).sum(axis=1)
    jaccard = _ratio((predicted & gold).sum(axis=1), union)
    micro = _scores_by_label(predicted.reshape(-1, 1), gold.reshape(-1, 1))
    macro = _scores_by_label(predicted, gold)
    return {
        "jaccard": float(np.where(union == 0, 1.0, jaccard).mean()),
        "jaccard_zero": float(jaccard.mean()),
        **{f"micro_{name}": float(micro[name].mean()) for name in ("f1", "precision", "recall")},
        **{f"macro_{name}": float(macro[name].mean()) for name in ("f1", "precision", "recall")},
        "exact_match": float((predicted == gold).all(axis=1).mean()),
    }


def single_label_scores(
    predictions: np.ndarray, references: np.ndarray, num_labels: int | None = None
) -> dict[str, float]:
    """What `SingleLabelMetric` computes, on arrays.

    Args:
        predictions (`np.ndarray` of shape `(texts,)`): Class ids.
        references (`np.ndarray` of shape `(texts,)`): Class ids.
        num_labels (`int`, *optional*): How many classes there are. By default those that occur are averaged over.

    Returns:
        `dict[str, float]`: `accuracy`, `micro_f1`, `macro_f1`, `weighted_f1`, `macro_recall`, all as fractions.

    Raises:
        ValueError: If the shapes differ, there is no row, or an id is none of a class.
    """
    predicted, gold = _one_hot(predictions, references, num_labels)
    micro = _scores_by_label(predicted.reshape(-1, 1), gold.reshape(-1, 1))
    scores = _scores_by_label(predicted, gold)
    return {
        "accuracy": float((predicted == gold).all(axis=1).mean()),
        "micro_f1": float(micro["f1"].mean()),
        "macro_f1": float(scores["f1"].mean()),
        "weighted_f1": float(np.average(scores["f1"], weights=scores["support"])),
        "macro_recall": float(scores["recall"].mean()),
    }


def per_label_scores(
    predictions: np.ndarray, references: np.ndarray, label_names: list[str], problem_type: str
) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of each label, and in how many texts it is gold.

    Args:
        predictions (`np.ndarray`): 0 or 1, `(texts, labels)`, or class ids `(texts,)`; what `decide` returns.
        references (`np.ndarray`): Of the same shape.
        label_names (`list[str]`): Names of the labels, in order.
        problem_type (`str`): `"multi_label_classification"` or `"single_label_classification"`.

    Returns:
        `dict[str, dict[str, float]]`: By label, `precision`, `recall`, `f1` and `support`.

    Raises:
        ValueError: If the labels are not as many as the names, or an argument is not valid.
    """
    _check_problem_type(problem_type)
    if problem_type == "multi_label_classification":
        predicted, gold = _multi_hot(predictions, references)
    else:
        predicted, gold = _one_hot(predictions, references, len(label_names))
    if gold.shape[1] != len(label_names):
        raise ValueError(f"references have {gold.shape[1]} labels but label_names holds {len(label_names)}.")
    scores = {name: values.tolist() for name, values in _scores_by_label(predicted, gold).items()}
    return {label: {name: scores[name][i] for name in scores} for i, label in enumerate(label_names)}


def decide(logits: np.ndarray, problem_type: str, thresholds: Sequence[float] | None = None) -> np.ndarray:
    """From logits to labels.

    Args:
        logits (`np.ndarray` of shape `(texts, labels)`): Unnormalised scores.
        problem_type (`str`): `"multi_label_classification"` or `"single_label_classification"`.
        thresholds (`Sequence[float]`, *optional*): For multi-label, the probability from which on a label is given,
            one a label. 0.5 by default.

    Returns:
        `np.ndarray` of `int64`: 0 or 1, `(texts, labels)`, for multi-label, class ids `(texts,)` for single-label.

    Raises:
        ValueError: If `logits` is not a matrix, `problem_type` is neither of the two, or the thresholds do not fit.
    """
    _check_problem_type(problem_type)
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim != 2:
        raise ValueError(f"logits must be of shape (texts, labels), got {logits.shape}.")
    if problem_type == "single_label_classification":
        if thresholds is not None:
            raise ValueError("thresholds are for multi_label_classification; leave them out for single labels.")
        return logits.argmax(axis=1)
    if thresholds is None:
        thresholds = [0.5] * logits.shape[1]
    if len(thresholds) != logits.shape[1]:
        raise ValueError(f"There are {logits.shape[1]} labels but {len(thresholds)} thresholds.")
    # The logistic function, written so that it cannot overflow.
    probabilities = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return (probabilities >= np.asarray(thresholds)).astype(np.int64)


def score(
    logits: np.ndarray, references: np.ndarray, problem_type: str, thresholds: Sequence[float] | None = None
) -> dict[str, float]:
    """Decide, then compare with the references.

    Args:
        logits (`np.ndarray` of shape `(texts, labels)`): Unnormalised scores.
        references (`np.ndarray`): 0 or 1, `(texts, labels)`, or class ids `(texts,)`, none missing.
        problem_type (`str`): `"multi_label_classification"` or `"single_label_classification"`.
        thresholds (`Sequence[float]`, *optional*): See `decide`.

    Returns:
        `dict[str, float]`: What `MultiLabelMetric`, or `SingleLabelMetric` over all classes, gives.

    Raises:
        ValueError: If an argument is not valid.
    """
    predictions = decide(logits, problem_type, thresholds)
    if problem_type == "multi_label_classification":
        return multi_label_scores(predictions, references)
    return single_label_scores(predictions, references, np.shape(logits)[1])


def _scores_by_label(predicted: np.ndarray, gold: np.ndarray) -> dict[str, np.ndarray]:
    hits = (predicted & gold).sum(axis=0)
    given, support = predicted.sum(axis=0), gold.sum(axis=0)
    return {
        "precision": _ratio(hits, given),
        "recall": _ratio(hits, support),
        "f1": _ratio(2 * hits, given + support),
        "support": support,
    }


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; 0/0 is 0."""
    return np.divide(numerator, denominator, out=np.zeros(denominator.shape), where=denominator > 0)


def _multi_hot(predictions: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    predictions, references = _same_shape(predictions, references, ndim=2)
    for name, values in (("predictions", predictions), ("references", references)):
        wrong = values[(values != 0) & (values != 1)]
        if len(wrong):
            raise ValueError(f"{name} must be 0 or 1, got {wrong[0]}; decide first, and drop rows without labels.")
    return predictions == 1, references == 1


def _one_hot(predictions: np.ndarray, references: np.ndarray, num_labels: int | None) -> tuple[np.ndarray, np.ndarray]:
    predictions, references = _same_shape(predictions, references, ndim=1)
    classes = np.union1d(predictions, references) if num_labels is None else np.arange(num_labels)
    for name, values in (("predictions", predictions), ("references", references)):
        wrong = values[(values < 0) | ~np.isin(values, classes)]
        if len(wrong):
            raise ValueError(f"{name} holds {wrong[0]}, which is no class id; drop rows without labels.")
    return predictions[:, None] == classes, references[:, None] == classes


def _same_shape(predictions: np.ndarray, references: np.ndarray, ndim: int) -> tuple[np.ndarray, np.ndarray]:
    predictions, references = np.asarray(predictions), np.asarray(references)
    if predictions.shape != references.shape or predictions.ndim != ndim:
        raise ValueError(
            f"predictions and references must both have {ndim} dimension(s) and the same shape, got "
            f"{predictions.shape} and {references.shape}."
        )
    if not predictions.size:
        raise ValueError("predictions and references are empty: there is nothing to measure.")
    return predictions, references


def _check_problem_type(problem_type: str) -> None:
    if problem_type not in CLASSIFICATION:
        raise ValueError(f"problem_type must be one of {', '.join(CLASSIFICATION)}, got {problem_type!r}.")


__all__ = [
    "HEADLINE",
    "MultiLabelMetric",
    "SingleLabelMetric",
    "decide",
    "multi_label_scores",
    "per_label_scores",
    "score",
    "single_label_scores",
]
