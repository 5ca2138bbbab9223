"""What the tests of adapters share: random adapters, encoders of every kind, and what is trained of a model."""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, DebertaV2Config

from modeling_csr import MultitaskForSequenceClassification
from modeling_csr.adapter_folder import Adapter
from modeling_csr.adapters import add_adapter, lora_options, merge_adapter

LORA: dict[str, Any] = {"r": 3, "lora_alpha": 6}


def stir(model: nn.Module, seed: int = 1) -> None:
    """Give the adapters of a model other weights than those of an adapter that does nothing."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "lora_magnitude" in name:
                weights.mul_(0.5 + torch.rand(weights.shape, generator=generator))
            elif ".lora_" in name:
                weights.copy_(0.2 * torch.randn(weights.shape, generator=generator))


def adapted(model: Any, options: Any = None, name: str | None = None, seed: int | None = 1) -> Any:
    """A model, or the classifier that owns it, with a live adapter in its encoder; random unless `seed` is `None`."""
    owner = getattr(model, "multitask", model)
    options = lora_options(LORA if options is None else options, owner.encoder)
    name = name or owner.config.main_task
    add_adapter(owner.encoder, options, name)
    owner.config.adapter, owner.config.adapter_name = options, name
    if seed is not None:
        stir(owner.encoder, seed)
    return model.eval()


def write_adapter(model: MultitaskForSequenceClassification, folder: Path) -> Path:
    """Write the adapter of a classifier into a folder, as a finished stage does: the classifier is merged then."""
    config = model.config
    adapter = Adapter.of(model.multitask.encoder, config.adapter, config.adapter_name)
    merge_adapter(model.multitask.encoder)
    config.adapter = config.adapter_name = None
    adapter.save(folder, model)
    return folder


def deberta(folder: Path) -> Path:
    """A folder with a tiny random DeBERTa-v2, which has relative positions and no tokenizer."""
    config = DebertaV2Config(
        vocab_size=300,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=66,
        relative_attention=True,
        position_buckets=8,
        pos_att_type=["c2p", "p2c"],
        share_att_key=True,
        initializer_range=0.2,
    )
    torch.manual_seed(7)
    AutoModel.from_config(config).save_pretrained(folder)
    return folder


def trained_names(module: nn.Module) -> set[str]:
    return {name for name, weights in module.named_parameters() if weights.requires_grad}


def linear_layers(encoder: nn.Module) -> set[str]:
    """Names of all linear layers, adapted ones included."""
    names = {name for name, module in encoder.named_modules() if isinstance(module, nn.Linear)}
    return {name.removesuffix(".base_layer") for name in names if ".lora_" not in name}


def run(model: nn.Module, tokens: dict[str, torch.Tensor]) -> torch.Tensor:
    """The logits of a classifier, or the representation of a model without heads."""
    with torch.no_grad():
        output = model(**tokens)
    return output.logits if "logits" in output else output.representation
