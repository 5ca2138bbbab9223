"""Trained classifiers at work: scoring of texts by the million, and files for other runtimes."""

from .export_folder import (
    PACKAGES,
    CalibrationData,
    check_export_folder,
    check_packages,
    export_classifier,
    scores_text,
)
from .onnx_export import check_logits, text_limit, write_onnx
from .quantization import Int8Report, quantize, weighted_nodes
from .score_files import ROWS_PER_FILE, print_summary, score_files
from .score_folder import ScoreFolderError
from .scorer import DTYPES, Scorer
from .text_rows import read_texts
from .workers import ENGINES

__all__ = [
    "DTYPES",
    "ENGINES",
    "PACKAGES",
    "ROWS_PER_FILE",
    "CalibrationData",
    "Int8Report",
    "ScoreFolderError",
    "Scorer",
    "check_export_folder",
    "check_logits",
    "check_packages",
    "export_classifier",
    "print_summary",
    "quantize",
    "read_texts",
    "score_files",
    "scores_text",
    "text_limit",
    "weighted_nodes",
    "write_onnx",
]
