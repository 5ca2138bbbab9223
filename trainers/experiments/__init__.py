"""Several runs side by side: comparisons over seeds, multi-task models beside their twins, and search."""

from .baselines import TWINS, several_tasks
from .comparison import (
    compare_labels,
    compare_recipes,
    compare_systems,
    dev_decisions,
    difference,
    labels_table,
    mean_and_spread,
    save_comparison,
    title,
)
from .folds import compare_folds, save_folds
from .language_table import languages_table
from .markdown import markdown_table
from .published import PUBLISHED
from .search import Search, SearchArguments
from .twins import compare_encoders, compare_with_twins, encoders_table, save_twins, task_scores

__all__ = [
    "PUBLISHED",
    "TWINS",
    "Search",
    "SearchArguments",
    "compare_encoders",
    "compare_folds",
    "compare_labels",
    "compare_recipes",
    "compare_systems",
    "compare_with_twins",
    "dev_decisions",
    "difference",
    "encoders_table",
    "labels_table",
    "languages_table",
    "markdown_table",
    "mean_and_spread",
    "save_comparison",
    "save_folds",
    "save_twins",
    "several_tasks",
    "task_scores",
    "title",
]
