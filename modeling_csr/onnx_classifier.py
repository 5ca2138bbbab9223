"""Classifiers that `csr-emotion export` has written, run by ONNX Runtime. Pipelines take them in a model's place."""

import os
from typing import Any, Self

import torch
from torch import nn
from transformers import AutoConfig, PreTrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.hub import cached_file

# Where Transformers.js and Text Embeddings Inference look for a model, by precision.
ONNX_FILES = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx"}


class OnnxClassifier(nn.Module):
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

    def __init__(self, path: str | os.PathLike, config: PreTrainedConfig, num_threads: int | None = None) -> None:
        super().__init__()
        import onnxruntime  # only this backend needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or torch.get_num_threads()
        self.config = config
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.session = onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
        self.input_names = [one.name for one in self.session.get_inputs()]

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike,
        precision: str = "fp32",
        num_threads: int | None = None,
        trust_remote_code: bool = False,
        **hub_kwargs: Any,
    ) -> Self:
        """Load an exported classifier.

        Args:
            name (`str`): Folder or Hub id.
            precision (`str`, defaults to `"fp32"`): `"fp32"` or `"int8"`.
            num_threads (`int`, *optional*): Number of threads. Defaults to torch's.
            trust_remote_code (`bool`, defaults to `False`): Whether the configuration's own code may be run.
            **hub_kwargs: Further arguments of the download, such as `revision` and `token`.

        Raises:
            ValueError: If there is no such precision.
            ModuleNotFoundError: If ONNX Runtime is not installed.
            OSError: If there is no such file.
        """
        if precision not in ONNX_FILES:
            raise ValueError(f"precision must be one of {', '.join(ONNX_FILES)}, got {precision!r}.")
        try:
            import onnxruntime  # noqa: F401
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("ONNX models need ONNX Runtime: pip install onnxruntime") from error
        config = AutoConfig.from_pretrained(name, trust_remote_code=trust_remote_code, **hub_kwargs)
        path: Any = cached_file(name, ONNX_FILES[precision], **hub_kwargs)
        return cls(path, config, num_threads)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Do nothing: it stays on the CPU."""
        return self

    def forward(self, **inputs: torch.Tensor) -> SequenceClassifierOutput:
        """Compute the logits.

        Args:
            **inputs (`torch.LongTensor` of shape `(batch, sequence)`): What the tokenizer gives. Those that the model
                does not read are ignored.

        Returns:
            `SequenceClassifierOutput`: With `logits` of shape `(batch, num_labels)`.
        """
        feed = {name: inputs[name].cpu().numpy() for name in self.input_names}
        return SequenceClassifierOutput(logits=torch.from_numpy(self.session.run(["logits"], feed)[0]))


__all__ = ["ONNX_FILES", "OnnxClassifier"]
