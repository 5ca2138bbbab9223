"""For people who label texts: what is doubtful among their labels, which texts to label next, what more would bring."""

from .cross_validation import CrossValidation, cross_validate
from .data_check import PROBLEMS, Finding, check_labels, write_findings
from .encoder_vectors import encoder_vectors
from .frozen_classifier import fit_decisions, fit_probabilities
from .growth_report import save_cross_validation
from .labelled_texts import LabelledTexts, labelled_texts
from .suggestions import Suggestion, suggest_texts

__all__ = [
    "PROBLEMS",
    "CrossValidation",
    "Finding",
    "LabelledTexts",
    "Suggestion",
    "check_labels",
    "cross_validate",
    "encoder_vectors",
    "fit_decisions",
    "fit_probabilities",
    "labelled_texts",
    "save_cross_validation",
    "suggest_texts",
    "write_findings",
]
