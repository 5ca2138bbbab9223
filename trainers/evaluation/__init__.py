"""What a model is worth: metrics, thresholds, predictions of many texts, figures and significance tests."""

from .bootstrap import bootstrap_scores
from .calibration import (
    ReliabilityBin,
    apply_calibration,
    calibration_error,
    fit_calibration,
    reliability,
)
from .card_examples import describe_examples
from .classifiers import check_max_length, label_names, load_classifier, load_config, problem_type_of
from .decisions import decide
from .figures import draw_predictions, draw_results
from .inference import embed_texts, inference_batch_size, predict_logits, probabilities, tokenized_batches
from .language_scores import language_scores
from .metrics import (
    HEADLINE,
    METRICS,
    MultiLabelMetric,
    PairMetric,
    RankingMetric,
    RegressionMetric,
    SingleLabelMetric,
    score,
)
from .representations import write_representations
from .scoring_mixin import TaskScoringMixin
from .significance import PairedTest, f1_intervals, holm, paired_test
from .task_metrics import PairMetrics, TaskMetrics
from .task_report import Predictions, per_label_scores, probability_scores, task_report
from .thresholds import THRESHOLD_MODES, tune_thresholds

__all__ = [
    "HEADLINE",
    "METRICS",
    "THRESHOLD_MODES",
    "MultiLabelMetric",
    "PairMetric",
    "PairMetrics",
    "PairedTest",
    "Predictions",
    "RankingMetric",
    "RegressionMetric",
    "ReliabilityBin",
    "SingleLabelMetric",
    "TaskMetrics",
    "TaskScoringMixin",
    "apply_calibration",
    "bootstrap_scores",
    "calibration_error",
    "check_max_length",
    "decide",
    "describe_examples",
    "draw_predictions",
    "draw_results",
    "embed_texts",
    "f1_intervals",
    "fit_calibration",
    "holm",
    "inference_batch_size",
    "label_names",
    "language_scores",
    "load_classifier",
    "load_config",
    "paired_test",
    "per_label_scores",
    "predict_logits",
    "probabilities",
    "probability_scores",
    "problem_type_of",
    "reliability",
    "score",
    "task_report",
    "tokenized_batches",
    "tune_thresholds",
    "write_representations",
]
