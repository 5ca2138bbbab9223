"""`evaluate` metrics: one for each problem type, and one for the pairs of the Siamese stage."""

from collections.abc import Mapping, Sequence
from typing import Any

import evaluate
import numpy as np
from datasets import Features, Value
from datasets import Sequence as SequenceFeature
from sklearn.metrics import roc_auc_score

from .decisions import annotated_labels, class_masks, decide, multi_hot_masks
from .ranking import average_precisions

# The metrics that tables show and that systems are compared by.
HEADLINE = {
    "multi_label_classification": ("jaccard", "micro_f1", "macro_f1"),
    "single_label_classification": ("accuracy", "macro_f1", "weighted_f1"),
    "regression": ("pearson",),
}


class _InMemoryMetric(evaluate.Metric):
    """A metric that never touches the disk. The stock one creates a folder in the cache when it is instantiated and
    writes an Arrow file there, which fails on a read-only cache and lets processes collide."""

    def __init__(self, config_name: str | None = None, keep_in_memory: bool = True, **kwargs: Any) -> None:
        super().__init__(config_name=config_name, keep_in_memory=keep_in_memory, **kwargs)

    def _build_data_dir(self) -> str:
        return "" if self.keep_in_memory else super()._build_data_dir()


def _metric_info(description: str, inputs: str, feature: Any) -> evaluate.MetricInfo:
    """What `evaluate` asks of a metric whose predictions and references have the same feature."""
    features = Features({"predictions": feature, "references": feature})
    return evaluate.MetricInfo(description=description, citation="", inputs_description=inputs, features=features)


class MultiLabelMetric(_InMemoryMetric):
    """
    Jaccard, exact match, and micro- and macro-averaged precision, recall and F1 of multi-label predictions.

    `jaccard` is the accuracy of SemEval-2018 Task 1 E-c: the mean over the texts of |gold ∩ predicted| / |gold ∪
    predicted|, where a text with neither counts 1. In `jaccard_zero` such a text counts 0. A label that is neither
    gold nor predicted anywhere has precision, recall and F1 0, and the macro averages include it. A reference of NaN is
    a label that nobody annotated for the text: it counts neither as gold nor as predicted, and the macro averages leave
    out labels that were not annotated for any text. All scores are fractions.

    Example:

    ```python
    >>> from trainers.evaluation import MultiLabelMetric

    >>> metric = MultiLabelMetric()
    >>> metric.compute(predictions=[[1, 1], [0, 0]], references=[[1, 0], [0, 0]])["jaccard"]
    0.75
    ```
    """

    def _info(self) -> evaluate.MetricInfo:
        return _metric_info(
            "Jaccard, exact match, and micro- and macro-averaged precision, recall and F1.",
            "predictions, references: for each text, a list of 0 or 1, one per label; references may be NaN.",
            # Not integers, which would truncate a probability to 0 before it can be refused.
            SequenceFeature(Value("float64")),
        )

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        arrays = _arrays(predictions, references, ndim=2)
        predicted, gold = (mask[:, annotated_labels(arrays["references"])] for mask in multi_hot_masks(**arrays))
        union = (predicted | gold).sum(axis=1)
        jaccard = _ratio((predicted & gold).sum(axis=1), union)
        micro = label_scores(predicted.reshape(-1, 1), gold.reshape(-1, 1))
        macro = label_scores(predicted, gold)
        return {
            "jaccard": float(np.where(union == 0, 1.0, jaccard).mean()),
            "jaccard_zero": float(jaccard.mean()),
            **{f"micro_{name}": float(micro[name].mean()) for name in ("f1", "precision", "recall")},
            **{f"macro_{name}": float(macro[name].mean()) for name in ("f1", "precision", "recall")},
            "exact_match": float((predicted == gold).all(axis=1).mean()),
        }


class RankingMetric(_InMemoryMetric):
    """
    Macro-averaged average precision of multi-label scores, which depends on no threshold.

    A reference of NaN, which nobody annotated, is left out, and so is a label that no text has: there is nothing to
    find. Without any label to find, the score is 0.

    Example:

    ```python
    >>> from trainers.evaluation import RankingMetric

    >>> scores = [[0.9], [0.8], [0.1]]
    >>> RankingMetric().compute(predictions=scores, references=[[1], [0], [1]])["macro_average_precision"]
    0.8333333333333333
    ```
    """

    def _info(self) -> evaluate.MetricInfo:
        return _metric_info(
            "Macro-averaged average precision.",
            "predictions: for each text, a list of scores, one per label; references: of 0 or 1, or NaN.",
            SequenceFeature(Value("float64")),
        )

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        arrays = _arrays(predictions, references, ndim=2)
        multi_hot_masks(references=arrays["references"])  # refuses what is no label
        found = [one for one in average_precisions(arrays["predictions"], arrays["references"]) if one is not None]
        return {"macro_average_precision": float(np.mean(found)) if found else 0.0}


class SingleLabelMetric(_InMemoryMetric):
    """
    Accuracy, micro, macro and weighted F1, and macro-averaged recall of class ids, all as fractions.

    Pass `num_labels` to `compute` to average over all classes. By default only classes that occur in the predictions or
    the references are averaged over.

    Example:

    ```python
    >>> from trainers.evaluation import SingleLabelMetric

    >>> SingleLabelMetric().compute(predictions=[0, 1, 1, 0], references=[0, 1, 0, 1])["accuracy"]
    0.5
    ```
    """

    def _info(self) -> evaluate.MetricInfo:
        return _metric_info(
            "Accuracy, micro, macro and weighted F1, and macro-averaged recall.",
            "predictions, references: class ids. num_labels (optional): how many classes there are.",
            Value("float64"),
        )

    def _compute(self, predictions: Any, references: Any, num_labels: int | None = None) -> dict[str, float]:
        predicted, gold = class_masks(num_labels, **_arrays(predictions, references, ndim=1))
        micro = label_scores(predicted.reshape(-1, 1), gold.reshape(-1, 1))
        scores = label_scores(predicted, gold)
        return {
            "accuracy": float((predicted == gold).all(axis=1).mean()),
            "micro_f1": float(micro["f1"].mean()),
            "macro_f1": float(scores["f1"].mean()),
            "weighted_f1": float(np.average(scores["f1"], weights=scores["support"])),
            "macro_recall": float(scores["recall"].mean()),
        }


class RegressionMetric(_InMemoryMetric):
    """
    Pearson's correlation and mean absolute error, averaged over the outputs, as SemEval-2018 Task 1 scores EI-reg.

    A gold score of NaN is missing; outputs without any gold score are left out. The correlation with a constant is 0.

    Example:

    ```python
    >>> from trainers.evaluation import RegressionMetric

    >>> scores = RegressionMetric().compute(predictions=[[0.0], [1.0], [2.0]], references=[[0.25], [0.5], [0.75]])
    >>> scores["pearson"]
    1.0
    ```
    """

    def _info(self) -> evaluate.MetricInfo:
        return _metric_info(
            "Pearson's correlation and mean absolute error, averaged over the outputs.",
            "predictions, references: for each text, a list of scores, one per output.",
            SequenceFeature(Value("float64")),
        )

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        predicted, gold = (np.array(values, dtype=np.float64) for values in (predictions, references))
        outputs = [scores for scores in output_scores(predicted, gold) if scores["support"]]
        if not outputs:
            raise ValueError("references hold no score: there is nothing to measure.")
        return {
            name: float(np.mean([scores[name] for scores in outputs])) for name in ("pearson", "mean_absolute_error")
        }


class PairMetric(_InMemoryMetric):
    """
    How well distances tell pairs of texts with different labels from pairs with the same one.

    Predictions are distances and references targets between 0 (same) and 1 (different), split at 0.5. `pair_auc` is the
    probability that a different pair is further apart than a same one; `mean_distance_same` and
    `mean_distance_different` are the mean distances of the two kinds. Where all pairs are of one kind, there is only
    `mean_distance`.

    Example:

    ```python
    >>> from trainers.evaluation import PairMetric

    >>> PairMetric().compute(predictions=[0.5, 0.25, 1.0, 2.0], references=[0, 0, 1, 1])
    {'pair_auc': 1.0, 'mean_distance_same': 0.375, 'mean_distance_different': 1.5}
    ```
    """

    def _info(self) -> evaluate.MetricInfo:
        return _metric_info(
            "The area under the ROC curve of distances, and the mean distance of same and of different pairs.",
            "predictions: distances. references: targets between 0 (same label) and 1 (different labels).",
            # The precision of the distances, in which their means are taken.
            Value("float32"),
        )

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        distances, different = np.array(predictions, dtype=np.float32), np.array(references) > 0.5
        if different.all() or not different.any():
            return {"mean_distance": float(distances.mean())}
        return {
            "pair_auc": float(roc_auc_score(different, distances)),
            "mean_distance_same": float(distances[~different].mean()),
            "mean_distance_different": float(distances[different].mean()),
        }


# By problem type, the metric of a task. `compute` takes what `decide` returns, and for single-label tasks `num_labels`.
METRICS: dict[str, type[evaluate.Metric]] = {
    "multi_label_classification": MultiLabelMetric,
    "single_label_classification": SingleLabelMetric,
    "regression": RegressionMetric,
}


def score(
    logits: np.ndarray,
    references: np.ndarray,
    problem_type: str,
    thresholds: Sequence[float] | None = None,
    metrics: Mapping[str, type[evaluate.Metric]] = METRICS,
) -> dict[str, float]:
    """Decide, then compute the metric of the problem type.

    Args:
        logits (`np.ndarray` of shape `(texts, labels)`): Unnormalised scores.
        references (`np.ndarray`): 0 or 1 `(texts, labels)`, class ids `(texts,)`, or the gold scores of a regression,
            `(texts, outputs)` or, for one output, `(texts,)`. Single labels and scores may be missing (NaN).
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        thresholds (`Sequence[float]`, *optional*): See [`decide`].
        metrics (`Mapping[str, type[evaluate.Metric]]`, *optional*): By problem type, the metric to compute.

    Returns:
        `dict[str, float]`: The metric's scores; a [`SingleLabelMetric`] is over all classes, and a [`MultiLabelMetric`]
        is followed by the score of the [`RankingMetric`].

    Raises:
        ValueError: If an argument is not valid.
    """
    predictions, references = decide(logits, problem_type, thresholds), np.asarray(references)
    if problem_type == "regression" and references.ndim == 1:
        references = references[:, None]
    options = {"num_labels": np.shape(logits)[1]} if problem_type == "single_label_classification" else {}
    found = metrics[problem_type]().compute(predictions=predictions, references=references, **options) or {}
    if metrics[problem_type] is MultiLabelMetric:
        found |= RankingMetric().compute(predictions=np.asarray(logits), references=references) or {}
    return dict(found)


def label_scores(predicted: np.ndarray, gold: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall, F1 and support of each label.

    Args:
        predicted (`np.ndarray` of `bool`, of shape `(texts, labels)`): Whether a label is given.
        gold (`np.ndarray` of `bool`, of shape `(texts, labels)`): Whether it is gold.
    """
    hits = (predicted & gold).sum(axis=0)
    given, support = predicted.sum(axis=0), gold.sum(axis=0)
    return {
        "precision": _ratio(hits, given),
        "recall": _ratio(hits, support),
        "f1": _ratio(2 * hits, given + support),
        "support": support,
    }


def output_scores(predicted: np.ndarray, gold: np.ndarray) -> list[dict[str, float]]:
    """Pearson's correlation, mean absolute error and support of each output of a regression.

    Args:
        predicted (`np.ndarray` of shape `(texts, outputs)`): Predicted scores.
        gold (`np.ndarray` of shape `(texts, outputs)`): Gold scores, NaN where there is none.

    Raises:
        ValueError: If the shapes differ.
    """
    if predicted.shape != gold.shape:
        raise ValueError(
            f"predictions and references must have the same shape, got {predicted.shape} and {gold.shape}."
        )
    results = []
    for given, wanted in zip(predicted.T, gold.T, strict=True):
        present = ~np.isnan(wanted)
        given, wanted = given[present], wanted[present]
        error = np.abs(given - wanted).mean() if len(wanted) else 0.0
        constant = len(wanted) < 2 or np.ptp(given) == 0 or np.ptp(wanted) == 0
        results.append(
            {
                "pearson": 0.0 if constant else float(np.corrcoef(given, wanted)[0, 1]),
                "mean_absolute_error": float(error),
                "support": int(present.sum()),
            }
        )
    return results


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; 0/0 is 0."""
    return np.divide(numerator, denominator, out=np.zeros(denominator.shape), where=denominator > 0)


def _arrays(predictions: Any, references: Any, ndim: int) -> dict[str, np.ndarray]:
    arrays = {"predictions": np.asarray(predictions), "references": np.asarray(references)}
    if not arrays["predictions"].size:
        raise ValueError("predictions and references are empty: there is nothing to measure.")
    shapes = [values.shape for values in arrays.values()]
    if shapes[0] != shapes[1] or len(shapes[0]) != ndim:
        raise ValueError(
            f"predictions and references must both have {ndim} dimension(s) and the same shape, got "
            f"{shapes[0]} and {shapes[1]}."
        )
    return arrays


__all__ = [
    "HEADLINE",
    "METRICS",
    "MultiLabelMetric",
    "PairMetric",
    "RankingMetric",
    "RegressionMetric",
    "SingleLabelMetric",
    "label_scores",
    "output_scores",
    "score",
]
