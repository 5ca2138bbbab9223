"""Model cards, and the figures in them."""

from .card import EXAMPLE_TEXTS, METRIC_NAMES, CardDataset, StageCard
from .figures import (
    plot_attention,
    plot_comparison,
    plot_decisions,
    plot_growth,
    plot_learning_curves,
    plot_scores,
    plot_space,
    plot_stages,
    plot_training_curves,
)
from .merging import merge_cards
from .reliability import plot_reliability
from .speed_figure import plot_speeds

__all__ = [
    "EXAMPLE_TEXTS",
    "METRIC_NAMES",
    "CardDataset",
    "StageCard",
    "merge_cards",
    "plot_attention",
    "plot_comparison",
    "plot_decisions",
    "plot_growth",
    "plot_learning_curves",
    "plot_reliability",
    "plot_scores",
    "plot_space",
    "plot_speeds",
    "plot_stages",
    "plot_training_curves",
]
