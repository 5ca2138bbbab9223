"""Classifiers that `csr-emotion export` has written, in the form in which pipelines take them in a model's place."""

import os
from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import Any, ClassVar, Self

import torch
from torch import nn
from transformers import AutoConfig, PreTrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.hub import cached_file


class ExportedClassifier(nn.Module, ABC):
    """
    A text classifier run by another runtime than torch, on the CPU. It has the `config` of the model that was exported
    and returns the same `logits`, so the emotion pipeline takes it in place of that model.

    Args:
        config ([`PreTrainedConfig`]): Configuration of the model that was exported.

    Attributes:
        package (`str`): What has to be installed.
        files (`dict[str, tuple[str, ...]]`): By precision, the file of the model, and those that it refers to.
        input_names (`list[str]`): Names of its inputs.
    """

    package: ClassVar[str]
    files: ClassVar[dict[str, tuple[str, ...]]]
    input_names: list[str]

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        self.config = config
        self.device, self.dtype = torch.device("cpu"), torch.float32

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
            precision (`str`, defaults to `"fp32"`): `"fp32"`, or `"int8"` where there is such a file.
            num_threads (`int`, *optional*): Number of threads. Defaults to torch's.
            trust_remote_code (`bool`, defaults to `False`): Whether the configuration's own code may be run.
            **hub_kwargs: Further arguments of the download, such as `revision` and `token`.

        Raises:
            ValueError: If there is no such precision.
            ModuleNotFoundError: If the runtime is not installed.
            OSError: If there is no such file.
        """
        if precision not in cls.files:
            raise ValueError(f"precision must be one of {', '.join(cls.files)}, got {precision!r}.")
        if find_spec(cls.package) is None:
            raise ModuleNotFoundError(f"{cls.__name__} needs its runtime: pip install {cls.package}")
        config = AutoConfig.from_pretrained(name, trust_remote_code=trust_remote_code, **hub_kwargs)
        paths: list[Any] = [cached_file(name, file, **hub_kwargs) for file in cls.files[precision]]
        # Each runtime takes a path, the configuration and a number of threads.
        return cls(paths[0], config, num_threads)  # type: ignore[call-arg]

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
        return SequenceClassifierOutput(logits=torch.from_numpy(self.run(feed)))

    @abstractmethod
    def run(self, feed: dict[str, Any]) -> Any:
        """Logits of shape `(batch, num_labels)` from the inputs, arrays of shape `(batch, sequence)` by name."""


__all__ = ["ExportedClassifier"]
