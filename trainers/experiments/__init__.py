"""Several runs side by side: comparisons over seeds, multi-task models beside their twins, and search; and what people
who label texts want to know before any run."""

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
from .labelling import (
    PROBLEMS,
    CrossValidation,
    Finding,
    LabelledTexts,
    Suggestion,
    check_labels,
    cross_validate,
    encoder_vectors,
    fit_decisions,
    fit_probabilities,
    labelled_texts,
    save_cross_validation,
    suggest_texts,
    write_findings,
)
from .language_table import languages_table
from .markdown import markdown_table
from .published import PUBLISHED
from .search import Search, SearchArguments
from .twins import compare_encoders, compare_with_twins, encoders_table, save_twins, task_scores

__all__ = [
    "PROBLEMS",
    "PUBLISHED",
    "TWINS",
    "CrossValidation",
    "Finding",
    "LabelledTexts",
    "Search",
    "SearchArguments",
    "Suggestion",
    "check_labels",
    "compare_encoders",
    "compare_folds",
    "compare_labels",
    "compare_recipes",
    "compare_systems",
    "compare_with_twins",
    "cross_validate",
    "dev_decisions",
    "difference",
    "encoder_vectors",
    "encoders_table",
    "fit_decisions",
    "fit_probabilities",
    "labelled_texts",
    "labels_table",
    "languages_table",
    "markdown_table",
    "mean_and_spread",
    "save_comparison",
    "save_cross_validation",
    "save_folds",
    "save_twins",
    "several_tasks",
    "suggest_texts",
    "task_scores",
    "title",
    "write_findings",
]
