"""What people read about a stage: its card and the figures in it."""

from .card import StageCard
from .figures import (
    plot_attention,
    plot_decisions,
    plot_scores,
    plot_space,
    plot_stages,
    plot_training_curves,
)

__all__ = [
    "StageCard",
    "plot_attention",
    "plot_decisions",
    "plot_scores",
    "plot_space",
    "plot_stages",
    "plot_training_curves",
]
