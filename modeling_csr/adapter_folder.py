"""Folders and repositories that hold an adapter, its heads and its labels, but not the encoder below them."""

import copy
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.utils import cached_file

from .adapters import adapter_weights, backbone_digest, backbone_weights, peft_library, share_weights, without_pooler

# Where the folder of a model keeps its adapter alone.
ADAPTER_FOLDER = "adapter"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
# Where peft puts the model that it wraps.
_PREFIX = "base_model.model."
_ENCODER = "multitask.encoder."
_HUB_ARGUMENTS = ("cache_dir", "force_download", "local_files_only", "revision", "subfolder", "token")


@dataclass(frozen=True)
class Adapter:
    """
    A trained adapter, taken out of its encoder.

    Args:
        options (`dict`): Its options, from [`~modeling_csr.adapters.lora_options`].
        name (`str`): Its name.
        weights (`dict[str, torch.Tensor]`): Its weights, by their names in peft's files.
        base (`dict`): The encoder that it was trained on, as `adapter_base` of [`MultitaskConfig`].
    """

    options: Mapping[str, Any]
    name: str
    weights: Mapping[str, torch.Tensor]
    base: Mapping[str, Any]

    @classmethod
    def of(cls, encoder: nn.Module, options: Mapping[str, Any], name: str) -> "Adapter":
        """Copy the adapter of an encoder."""
        return cls(options, name, adapter_weights(encoder, name), {"digest": backbone_digest(encoder)})

    def save(self, folder: str | os.PathLike, classifier: PreTrainedModel) -> None:
        """Write a folder with the adapter and all of a classifier but its encoder.

        `adapter_config.json` and `adapter_model.safetensors` are peft's, for the plain encoder; `config.json` and
        `model.safetensors` are this library's, with labels, thresholds and heads.

        Args:
            folder (`str` or `os.PathLike`): The folder.
            classifier ([`MultitaskForSequenceClassification`]): The classifier, whose adapter is merged.
        """
        whole = classifier.config
        rest = {path: part for path, part in classifier.state_dict().items() if not path.startswith(_ENCODER)}
        classifier.config = copy.deepcopy(whole)
        classifier.config.adapter, classifier.config.adapter_name = dict(self.options), self.name
        classifier.config.adapter_base = dict(self.base)
        try:
            classifier.save_pretrained(str(folder), state_dict=rest)
        finally:
            classifier.config = whole
        # Encoders have no pooler here, but where peft puts the adapter they may have one.
        peft_library().LoraConfig(**without_pooler(self.options)).save_pretrained(str(folder))
        weights = {f"{_PREFIX}{path}": part.contiguous() for path, part in self.weights.items()}
        save_file(weights, Path(folder) / ADAPTER_WEIGHTS, metadata={"format": "pt"})


def adapter_in(config_class: Any, source: Any, config: Any, options: dict[str, Any]) -> tuple[Any, dict] | None:
    """The configuration in a folder or repository that holds an adapter alone, or `None` if a whole model is there.

    Args:
        config_class (`type`): Class of the configuration.
        source (`str` or `os.PathLike`, *optional*): The folder, or the repository's id.
        config (*optional*): The configuration, if it is loaded.
        options (`dict`): Further arguments of `from_pretrained`.

    Returns:
        `tuple`: The configuration, and the arguments that are left for the model.
    """
    if source is None:
        return None
    # Not `config_class`: of code that came with a model, each Auto class makes a class of its own.
    if not isinstance(config, PreTrainedConfig):
        hub = {name: options[name] for name in _HUB_ARGUMENTS if name in options}
        if not config_class.get_config_dict(config or source, **hub)[0].get("adapter_base"):
            return None
        config, left = config_class.from_pretrained(config or source, return_unused_kwargs=True, **options)
        options = left | hub
    return (config, options) if getattr(config, "adapter_base", None) else None


def load_adapter(
    build: Callable[..., Any], source: Any, config: Any, options: dict[str, Any], backbone: Any = None
) -> Any:
    """Load a model whose folder or repository holds the adapter alone.

    Args:
        build (`Callable`): The `from_pretrained` that takes all weights at once.
        source (`str` or `os.PathLike`): The folder, or the repository's id.
        config ([`MultitaskConfig`]): Its configuration.
        options (`dict`): Further arguments of `from_pretrained`.
        backbone (`str` or `PreTrainedModel`, *optional*): The encoder; see
            [`~MultitaskPreTrainedModel.from_pretrained`].
    """
    hub = {name: options.pop(name) for name in _HUB_ARGUMENTS if name in options}
    # What transformers found out about the adapter for itself, which it would add a second time.
    options = {name: value for name, value in options.items() if name not in ("adapter_kwargs", "_from_auto")}
    encoder = _backbone(source, config.adapter_base, backbone, options.get("trust_remote_code"))
    digest = backbone_digest(encoder)
    if digest != config.adapter_base["digest"]:
        raise ValueError(
            f"The adapter in {source} was trained on another encoder than {_name_of(encoder, backbone)}: their weights "
            f"differ (they are {encoder.config.hidden_size} wide here, and were {config.encoder.hidden_size} there). "
            "Pass the one that it was trained on as backbone, in single precision."
        )
    adapter = {
        path.removeprefix(_PREFIX): part
        for path, part in load_file(cached_file(source, ADAPTER_WEIGHTS, **hub)).items()
    }
    adapted = {path.rpartition(".lora_")[0] for path in adapter}
    weights = load_file(cached_file(source, "model.safetensors", **hub))
    for path, part in backbone_weights(encoder).items():
        layer, _, kind = path.rpartition(".")
        weights[f"{_ENCODER}{layer}.base_layer.{kind}" if layer in adapted else f"{_ENCODER}{path}"] = part
    for path, part in adapter.items():
        weights[f"{_ENCODER}{_live_name(path, config.adapter_name)}"] = part
    config = copy.deepcopy(config)
    config.adapter_base = None
    loaded = build(None, config=config, state_dict=weights, **options)
    model = loaded[0] if isinstance(loaded, tuple) else loaded
    model.config.name_or_path = str(source)
    if isinstance(backbone, nn.Module):
        share_weights(next(part for part in model.modules() if hasattr(part, "peft_config")), encoder)
    return loaded


def _live_name(path: str, adapter: str) -> str:
    """The name of an adapter's weights in a model, where peft adds the adapter's name: `lora_A.emotion.weight`."""
    layer, kind, suffix = re.fullmatch(r"(.*\.)(lora_\w+)(\.\w+)?", path).groups()
    if suffix is None:
        suffix = "" if kind.startswith("lora_embedding") else ".weight"
    return f"{layer}{kind}.{adapter}{suffix}"


def _backbone(source: Any, base: Mapping[str, Any], backbone: Any, trust_remote_code: bool | None) -> PreTrainedModel:
    """The encoder below an adapter."""
    if backbone is None and not base.get("name"):
        raise ValueError(
            f"{source} holds an adapter alone, and does not say which encoder of the Hub it was trained on: pass that "
            "encoder's folder, id or model as backbone."
        )
    model = backbone
    if not isinstance(model, nn.Module):
        revision = base.get("revision") if backbone is None else None
        loading = {"dtype": torch.float32, "trust_remote_code": trust_remote_code, "revision": revision}
        model = AutoModel.from_pretrained(backbone or base["name"], **loading)
    while getattr(model.config, "model_type", None) == "csr-multitask":
        model = model.multitask if hasattr(model, "multitask") else model.encoder
    return model


def _name_of(encoder: PreTrainedModel, backbone: Any) -> str:
    return backbone if isinstance(backbone, str) else encoder.config.name_or_path or type(encoder).__name__


__all__ = ["ADAPTER_FOLDER", "Adapter", "adapter_in", "load_adapter"]
