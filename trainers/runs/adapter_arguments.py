"""Arguments for LoRA adapters."""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..training_arguments import check_ranges
from .yaml_files import read_yaml

# Fields of `peft.LoraConfig` that say where an adapter came from or what it is used for.
_NOT_OF_AN_ADAPTER = (
    "auto_mapping",
    "base_model_name_or_path",
    "inference_mode",
    "peft_version",
    "revision",
    "runtime_config",
    "task_type",
)


@dataclass
class AdapterArguments:
    """LoRA adapters, in the stages that train an encoder."""

    lora_r: int | None = field(
        default=None,
        metadata={
            "help": "Train LoRA adapters of this rank in the encoder, whose own weights stay as pretrained; heads and "
            "other layers are trained in full. Default: no adapters."
        },
    )
    lora_alpha: int | None = field(
        default=None,
        metadata={"help": "Scale of the adapters, which count lora_alpha / lora_r times. Default: the rank."},
    )
    lora_dropout: float | None = field(default=None, metadata={"help": "Dropout before the adapters. Default: none."})
    lora_target_modules: list[str] | None = field(
        default=None,
        metadata={
            "help": "Layers of the encoder that get adapters, such as query value. Default: all linear layers of its "
            "blocks, in attention and feed-forward networks."
        },
    )
    peft_config: str | None = field(
        default=None,
        metadata={
            "help": "YAML or JSON file with fields of peft.LoraConfig, such as use_dora or use_rslora; the options "
            "above take precedence."
        },
    )
    shared_backbone: bool = field(
        default=False,
        metadata={
            "help": "Whether the encoders of a common space are adapters of one text encoder, which it holds once; "
            "such a model needs peft."
        },
    )

    def __post_init__(self) -> None:
        check_ranges(vars(self))
        if self.options is None:
            given = [name for name in vars(self) if getattr(self, name) not in (None, False)]
            if given:
                raise ValueError(f"--{given[0]} is for LoRA adapters: give --lora_r or --peft_config with it.")

    @cached_property
    def options(self) -> dict[str, Any] | None:
        """Fields of `peft.LoraConfig`, or `None` without adapters.

        Raises:
            FileNotFoundError: If the file of `peft_config` does not exist.
            ValueError: If it holds something else.
        """
        if self.lora_r is None and self.peft_config is None:
            return None
        options = _fields(self.peft_config)
        given = {
            "r": self.lora_r,
            "lora_alpha": self.lora_alpha,
            "lora_dropout": self.lora_dropout,
            "target_modules": self.lora_target_modules,
        }
        options |= {name: value for name, value in given.items() if value is not None}
        if self.lora_r is not None and "lora_alpha" not in options:
            options["lora_alpha"] = self.lora_r
        return options


def _fields(config: Any) -> dict[str, Any]:
    if config is None:
        return {}
    if isinstance(config, os.PathLike):
        config = os.fspath(config)
    if isinstance(config, str):
        # YAML files of a run may hold the fields themselves.
        config = json.loads(config) if config.lstrip().startswith("{") else read_yaml(config, "--peft_config")
    elif dataclasses.is_dataclass(config):
        config = _chosen_fields(config)
    if not isinstance(config, Mapping):
        raise ValueError("--peft_config must hold fields of peft.LoraConfig, such as `r: 16`.")
    kind = config.get("peft_type")
    given = dict(config) | {"peft_type": None if kind == "LORA" else getattr(kind, "value", kind)}
    return {name: value for name, value in given.items() if value is not None and name not in _NOT_OF_AN_ADAPTER}


def _chosen_fields(config: Any) -> dict[str, Any]:
    """The fields of a `peft.LoraConfig` that are not peft's defaults, so that its record is that of the same options in
    a file. Rank and scale are always among them."""
    chosen = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        default = item.default if item.default_factory is dataclasses.MISSING else item.default_factory()
        if item.name in ("r", "lora_alpha") or value != default:
            chosen[item.name] = sorted(value) if isinstance(value, set) else value
    return chosen
