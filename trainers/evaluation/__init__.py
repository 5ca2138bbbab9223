"""What models are worth: metrics, thresholds, inference, significance and figures."""

from .figures import MAX_POINTS, describe_examples, draw_outcome, draw_space
from .inference import embed_texts, predict_logits, probabilities
from .metrics import HEADLINE, decide, per_label_scores, score
from .regression_metrics import per_output_scores, regression_scores
from .representations import cached_representations
from .siamese_metrics import PairMetrics
from .significance import paired_test
from .task_metrics import TaskMetrics
from .task_report import task_report
from .thresholds import THRESHOLD_MODES, tune_thresholds

__all__ = [
    "HEADLINE",
    "MAX_POINTS",
    "THRESHOLD_MODES",
    "PairMetrics",
    "TaskMetrics",
    "cached_representations",
    "decide",
    "describe_examples",
    "draw_outcome",
    "draw_space",
    "embed_texts",
    "paired_test",
    "per_label_scores",
    "per_output_scores",
    "predict_logits",
    "probabilities",
    "regression_scores",
    "score",
    "task_report",
    "tune_thresholds",
]
