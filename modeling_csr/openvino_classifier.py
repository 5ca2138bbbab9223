"""Classifiers that `csr-emotion export --to openvino` has written, run by OpenVINO."""

import os
from typing import Any

import torch
from transformers import PreTrainedConfig

from .exported_classifier import ExportedClassifier

# Where optimum-intel looks for a model. The graph is in the first file, its weights in the second.
OPENVINO_FILES = ("openvino/openvino_model.xml", "openvino/openvino_model.bin")


class OpenVINOClassifier(ExportedClassifier):
    """
    A text classifier run by OpenVINO, on the CPU and in single precision. It has the `config` of the model that was
    exported and returns the same `logits`, so the emotion pipeline takes it in place of that model.

    Args:
        path (`str`): The file of the graph; that of the weights is beside it.
        config ([`PreTrainedConfig`]): Configuration of the model that was exported.
        num_threads (`int`, *optional*): Number of threads. Defaults to torch's.
    """

    package = "openvino"
    files = {"fp32": OPENVINO_FILES}

    def __init__(self, path: str | os.PathLike, config: PreTrainedConfig, num_threads: int | None = None) -> None:
        super().__init__(config)
        import openvino  # only this backend needs it

        # Left alone, OpenVINO computes in bf16 where the CPU multiplies in it.
        options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": num_threads or torch.get_num_threads()}
        self.compiled = openvino.Core().compile_model(os.fspath(path), "CPU", options)
        self.input_names = [one.any_name for one in self.compiled.inputs]

    def run(self, feed: dict[str, Any]) -> Any:
        """Logits of shape `(batch, num_labels)` from the inputs, arrays of shape `(batch, sequence)` by name."""
        # A request of its own: the compiled model has a single one, which threads would share.
        return self.compiled.create_infer_request().infer(feed)["logits"]


__all__ = ["OPENVINO_FILES", "OpenVINOClassifier"]
