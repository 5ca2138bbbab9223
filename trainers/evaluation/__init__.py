"""What a model is worth: metrics, thresholds, predictions of many texts, figures and significance tests."""

from .bootstrap import bootstrap_scores
from .card_examples import describe_examples
from .classifiers import check_max_length, label_names, load_classifier
from .decisions import decide
from .figures import draw_predictions, draw_results
from .inference import embed_texts, inference_batch_size, predict_logits, probabilities, tokenized_batches
from .metrics import (
    HEADLINE,
    METRICS,
    MultiLabelMetric,
    PairMetric,
    RegressionMetric,
    SingleLabelMetric,
    score,
)
from .representations import write_representations
from .significance import PairedTest, f1_intervals, holm, paired_test
from .task_metrics import PairMetrics, TaskMetrics
from .task_report import per_label_scores, task_report
from .thresholds import THRESHOLD_MODES, tune_thresholds

__all__ = [
    "HEADLINE",
    "METRICS",
    "THRESHOLD_MODES",
    "MultiLabelMetric",
    "PairMetric",
    "PairMetrics",
    "PairedTest",
    "RegressionMetric",
    "SingleLabelMetric",
    "TaskMetrics",
    "bootstrap_scores",
    "check_max_length",
    "decide",
    "describe_examples",
    "draw_predictions",
    "draw_results",
    "embed_texts",
    "f1_intervals",
    "holm",
    "inference_batch_size",
    "label_names",
    "load_classifier",
    "paired_test",
    "per_label_scores",
    "predict_logits",
    "probabilities",
    "score",
    "task_report",
    "tokenized_batches",
    "tune_thresholds",
    "write_representations",
]
