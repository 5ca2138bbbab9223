"""Trained classifiers for other runtimes: ONNX files in fp32 and int8, checked against the model."""

from .export_folder import CalibrationData, check_export_folder, check_packages, export_classifier, scores_text
from .onnx_export import check_logits, text_limit, write_onnx
from .quantization import Int8Report, quantize, weighted_nodes

__all__ = [
    "CalibrationData",
    "Int8Report",
    "check_export_folder",
    "check_logits",
    "check_packages",
    "export_classifier",
    "quantize",
    "scores_text",
    "text_limit",
    "weighted_nodes",
    "write_onnx",
]
