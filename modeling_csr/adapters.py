"""LoRA adapters inside a text encoder: adding, extracting and merging them by peft."""

import copy
import hashlib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import torch
from torch import nn

PEFT_REQUIREMENT = "peft>=0.18"
# Ways to initialise an adapter that leave the weights below it as they are.
INITIALISATIONS = (True, False, "gaussian", "orthogonal")
# Fields by which peft trains, or rebuilds, parts of the encoder itself.
_BEYOND_ADAPTERS = (
    "bias",
    "modules_to_save",
    "trainable_token_indices",
    "layer_replication",
    "target_parameters",
    "lora_bias",
)
_ADAPTABLE = (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d)
# What an adapter does not change: its use must not depend on how it was trained, or on the machine.
_NOT_STORED = ("auto_mapping", "base_model_name_or_path", "inference_mode", "peft_version", "revision", "task_type")


def peft_library() -> Any:
    """The peft library, loaded only where there are adapters, so that models without them do not need it.

    Raises:
        ModuleNotFoundError: If it is not installed, with what to do.
    """
    try:
        return import_module("peft")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"The model has LoRA adapters, which need peft: pip install '{PEFT_REQUIREMENT}'."
        ) from error


def block_layers(encoder: nn.Module) -> list[str]:
    """Names of the linear layers in the blocks of an encoder, those of attention and feed-forward networks.

    Args:
        encoder (`nn.Module`): A text encoder. It may be on the meta device.

    Returns:
        `list[str]`: Last parts of the layers' names, such as `query` and `dense`, each once.
    """
    linear = [name.split(".") for name, module in encoder.named_modules() if isinstance(module, nn.Linear)]
    return sorted({parts[-1] for parts in linear if any(part.isdecimal() for part in parts)})


def lora_options(config: Any, encoder: nn.Module) -> dict[str, Any]:
    """Check a LoRA configuration against an encoder.

    Args:
        config (`peft.LoraConfig` or `Mapping`): The configuration, or its fields. Without `target_modules`, all linear
            layers of the encoder's blocks get adapters.
        encoder (`nn.Module`): The text encoder. It may be on the meta device.

    Returns:
        `dict[str, Any]`: The fields that differ from peft's defaults, as they are stored in a model's config.

    Raises:
        ValueError: If the configuration is not valid, does not fit the encoder, or changes more than adapters.
        ModuleNotFoundError: If peft is not installed.
    """
    peft = peft_library()
    if isinstance(config, Mapping):
        fields = {name: value for name, value in config.items() if name != "peft_type"}
        kind = config.get("peft_type") or "LORA"
        kind = str(getattr(kind, "value", kind))
        try:
            config = peft.LoraConfig(**fields)
        except TypeError as error:
            raise ValueError(f"peft_config is not one of LoRA: {error}") from error
    else:
        # The caller's own object stays without targets: the next encoder may have other layers.
        config, kind = copy.copy(config), type(config).__name__.removesuffix("Config")
    if kind.upper() != "LORA":
        raise ValueError(f"peft_config is one of {kind}; the encoders get LoRA adapters, by peft.LoraConfig.")
    if config.r < 1:
        raise ValueError(f"The rank of LoRA adapters (r) must be at least 1, got {config.r}.")
    if config.init_lora_weights not in INITIALISATIONS:
        raise ValueError(
            f"init_lora_weights={config.init_lora_weights!r} changes the encoder below the adapters. "
            f"Choose one of {', '.join(map(repr, INITIALISATIONS))}."
        )
    defaults = peft.LoraConfig().to_dict()
    chosen = {name: _plain(value) for name, value in config.to_dict().items() if value != defaults.get(name)}
    beyond = [name for name in _BEYOND_ADAPTERS if name in chosen]
    if beyond:
        raise ValueError(
            f"{', '.join(beyond)} of peft_config would change the encoder itself, which adapters leave as it is. Leave "
            "them out; heads and other layers outside the encoder are trained in full anyway."
        )
    if getattr(encoder, "is_quantized", False):
        raise ValueError("The encoder is quantised, and adapters cannot be merged into it: load it unquantised.")
    there = block_layers(encoder)
    if not there:
        raise ValueError(
            f"A {type(encoder).__name__} has no blocks with linear layers to put LoRA adapters in: train it in full."
        )
    if config.target_modules is None:
        config.target_modules, chosen["target_modules"] = set(there), there
    _check_targets(peft, config, encoder, there)
    return {name: value for name, value in chosen.items() if name not in _NOT_STORED} | {"r": config.r}


def _check_targets(peft: Any, config: Any, encoder: nn.Module, there: list[str]) -> None:
    names = config.target_modules
    if names == "all-linear":
        return
    modules = dict(encoder.named_modules())
    matched = [name for name in modules if peft.tuners.tuners_utils.check_target_module_exists(config, name)]
    if isinstance(names, str):
        missing = [] if matched else [names]
    else:
        missing = [one for one in names if not any(name == one or name.endswith(f".{one}") for name in modules)]
    choice = f"Its blocks have {', '.join(there)}."
    if missing:
        raise ValueError(f"The encoder has no layers {', '.join(sorted(missing))} to adapt (target_modules). {choice}")
    others = sorted({name.rpartition(".")[2] for name in matched if not isinstance(modules[name], _ADAPTABLE)})
    if others:
        raise ValueError(f"{', '.join(others)} (target_modules) cannot have adapters; linear layers can. {choice}")
    if not matched:
        raise ValueError(f"peft_config leaves no layer of the encoder to adapt. {choice}")


def _plain(value: Any) -> Any:
    """A field of a configuration as JSON has it."""
    return sorted(value) if isinstance(value, set) else value


def add_adapter(encoder: nn.Module, options: Mapping[str, Any], name: str) -> None:
    """Add an adapter to an encoder, whose own weights are frozen.

    A pooler, which stock classifiers have between encoder and head, is trained in full: it is new, or was trained for
    another task.

    Args:
        encoder (`nn.Module`): The text encoder.
        options (`Mapping[str, Any]`): What [`lora_options`] returned.
        name (`str`): Name of the adapter, which becomes part of its weights' names.

    Raises:
        ValueError: If the encoder has an adapter already.
    """
    if hasattr(encoder, "peft_config"):
        raise ValueError(f"The encoder already has an adapter, {', '.join(encoder.peft_config)}: merge it before.")
    peft = peft_library()
    if getattr(encoder, "pooler", None) is not None:
        options = without_pooler(options)
    peft.inject_adapter_in_model(peft.LoraConfig(**options), encoder, name)
    freeze_below_adapter(encoder)


def freeze_below_adapter(encoder: nn.Module) -> None:
    """Train nothing of an encoder but its adapter, and its pooler if it has one."""
    for path, weights in encoder.named_parameters():
        weights.requires_grad_(".lora_" in path or path.startswith("pooler."))


def without_pooler(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of an adapter for an encoder that may have a pooler, which gets none."""
    excluded = options.get("exclude_modules")
    if isinstance(excluded, str):
        return {**options, "exclude_modules": rf"(?:{excluded})|pooler\..*"}
    return {**options, "exclude_modules": [*(excluded or ()), "pooler.dense"]}


def adapter_weights(encoder: nn.Module, name: str) -> dict[str, torch.Tensor]:
    """The weights of an encoder's adapter by their names in peft's files, relative to the encoder."""
    weights = peft_library().get_peft_model_state_dict(encoder, adapter_name=name)
    return {key: value.detach().cpu().clone() for key, value in weights.items()}


def merge_adapter(encoder: nn.Module) -> None:
    """Add the adapter to the weights of its encoder, and remove it.

    Raises:
        ValueError: If the result is not finite.
    """
    layer_type = import_module("peft.tuners.tuners_utils").BaseTunerLayer
    for path, layer in list(encoder.named_modules()):
        if isinstance(layer, layer_type):
            layer.merge(safe_merge=True)
            parent, _, attribute = path.rpartition(".")
            setattr(encoder.get_submodule(parent), attribute, layer.get_base_layer())
    del encoder.peft_config


def backbone_weights(encoder: nn.Module) -> dict[str, torch.Tensor]:
    """The weights of an encoder without its adapters and its pooler, by their names in an encoder without them."""
    named = {path.replace(".base_layer.", "."): weights for path, weights in encoder.state_dict().items()}
    return {path: weights for path, weights in named.items() if ".lora_" not in path and not path.startswith("pooler.")}


def backbone_digest(encoder: nn.Module) -> str:
    """A digest of [`backbone_weights`], by which an adapter knows the encoder that it was trained on."""
    found = hashlib.sha256()
    for path, weights in sorted(backbone_weights(encoder).items()):
        found.update(path.encode())
        # Views, so that no copy of a large encoder is made.
        found.update(weights.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()


def shared_names(encoder: nn.Module, owner: nn.Module) -> dict[str, str]:
    """Maps the names of an encoder's weights to those of the same weights in another encoder; adapters have none."""
    there = {path.replace(".base_layer.", "."): path for path, _ in owner.named_parameters() if ".lora_" not in path}
    plain = {path: path.replace(".base_layer.", ".") for path, _ in encoder.named_parameters() if ".lora_" not in path}
    return {path: there[name] for path, name in plain.items()}


def share_weights(encoder: nn.Module, owner: nn.Module) -> None:
    """Make an encoder use the weights of another one, so that memory holds them once; adapters stay its own.

    Args:
        encoder (`nn.Module`): The encoder, with an adapter.
        owner (`nn.Module`): An encoder of the same architecture, with an adapter or without.
    """
    for path, other in shared_names(encoder, owner).items():
        layer, _, attribute = path.rpartition(".")
        setattr(encoder.get_submodule(layer), attribute, owner.get_parameter(other))


__all__ = [
    "PEFT_REQUIREMENT",
    "adapter_weights",
    "add_adapter",
    "backbone_digest",
    "backbone_weights",
    "freeze_below_adapter",
    "lora_options",
    "merge_adapter",
    "share_weights",
    "shared_names",
    "without_pooler",
]
