"""Classifiers that `csr-emotion export` has written as ONNX files, run by ONNX Runtime."""

import os
from typing import Any

import torch
from transformers import PreTrainedConfig

from .exported_classifier import ExportedClassifier

# Where Transformers.js and Text Embeddings Inference look for a model, by precision.
ONNX_FILES = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx"}


class OnnxClassifier(ExportedClassifier):
    """
    A text classifier run by ONNX Runtime, on the CPU. It has the `config` of the model that was exported and returns
    the same `logits`, so the emotion pipeline takes it in place of that model.

    Args:
        path (`str`): The ONNX file.
        config ([`PreTrainedConfig`]): Configuration of the model that was exported.
        num_threads (`int`, *optional*): Number of threads. Defaults to torch's.

    Example:

    ```python
    >>> from transformers import pipeline
    >>> from modeling_csr import OnnxClassifier

    >>> model = OnnxClassifier.from_pretrained("exported", precision="int8")
    >>> classifier = pipeline("emotion-classification", model=model, tokenizer="exported", device="cpu")
    ```
    """

    package = "onnxruntime"
    files = {precision: (file,) for precision, file in ONNX_FILES.items()}

    def __init__(self, path: str | os.PathLike, config: PreTrainedConfig, num_threads: int | None = None) -> None:
        super().__init__(config)
        import onnxruntime  # only this backend needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or torch.get_num_threads()
        self.session = onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
        self.input_names = [one.name for one in self.session.get_inputs()]

    def run(self, feed: dict[str, Any]) -> Any:
        """Logits of shape `(batch, num_labels)` from the inputs, arrays of shape `(batch, sequence)` by name."""
        return self.session.run(["logits"], feed)[0]


__all__ = ["ONNX_FILES", "OnnxClassifier"]
