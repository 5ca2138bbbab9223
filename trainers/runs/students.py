"""The student of a distillation before it is trained: whose encoder it starts from, and how much of it."""

import copy
import re

import torch
from torch import nn
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
)

from modeling_csr import (
    MultitaskConfig,
    MultitaskForSequenceClassification,
    MultitaskModel,
    RecurrentEncoderConfig,
    merge_adapter,
)

from ..evaluation import label_names, load_config
from ..loop import encoder_config, resolve_encoder


def student_of(teacher: PreTrainedModel, encoder: str | None = None, layers: int | None = None) -> PreTrainedModel:
    """Build the student of a teacher: a stock classifier, or a `csr-multitask` one on a recurrent encoder.

    Args:
        teacher (`PreTrainedModel`): A classifier of one of the project's families.
        encoder (`str`, *optional*): Folder or Hub id of the encoder to start from. By default, the teacher's emotion
            encoder.
        layers (`int`, *optional*): Keep only so many of the encoder's layers, the lowest ones (Sanh et al. 2019,
            DistilBERT, start a student from layers of its teacher, too).

    Raises:
        ValueError: If the teacher has no encoder of these families, or the encoder has not as many layers.
    """
    start = _encoder_of(teacher) if encoder is None else _pretrained(encoder)
    if layers is not None:
        start = lowest_layers(start, layers)
    labels = {"labels": label_names(teacher.config), "problem_type": teacher.config.problem_type}
    if isinstance(start.config, RecurrentEncoderConfig):
        config = MultitaskConfig(encoder=start.config, tasks={"emotion": labels})
        recurrent = MultitaskForSequenceClassification(config)
        recurrent.multitask.set_encoder(start)
        return recurrent
    stock = copy.deepcopy(start.config)
    stock.id2label, stock.label2id = teacher.config.id2label, teacher.config.label2id
    stock.problem_type = teacher.config.problem_type
    student = AutoModelForSequenceClassification.from_config(stock)
    # Some classes have a pooler, unlike the encoder.
    missing = student.base_model.load_state_dict(start.state_dict(), strict=False)
    extra = [name for name in missing.unexpected_keys if not name.startswith("pooler.")]
    if extra:
        raise ValueError(f"--student: the encoder has weights that a stock classifier lacks: {extra}")
    return student


def lowest_layers(encoder: PreTrainedModel, layers: int) -> PreTrainedModel:
    """A copy of an encoder without its upper layers.

    Args:
        encoder (`PreTrainedModel`): A text encoder.
        layers (`int`): How many of its layers to keep.

    Raises:
        ValueError: If it has not as many layers, or does not say how many it has.
    """
    config = copy.deepcopy(encoder.config)
    _set_layers(config, layers)
    shorter = AutoModel.from_config(config)
    names = shorter.state_dict().keys()
    kept = {name: weights for name, weights in encoder.state_dict().items() if name in names}
    missing = shorter.load_state_dict(kept, strict=False).missing_keys
    # Encoders are built without the pooler that their classes would have.
    if lost := [name for name in missing if not name.startswith("pooler.")]:
        raise ValueError(f"--student_layers {layers}: the encoder lacks the weights {', '.join(lost)}.")
    return shorter


def student_config(teacher: str, encoder: str | None = None, layers: int | None = None) -> PreTrainedConfig:
    """Configuration of the encoder that a student starts from, found without loading weights.

    Args:
        teacher (`str`): Folder or Hub id of the teacher, which itself is checked later.
        encoder, layers: As for [`student_of`].

    Raises:
        OSError: If there is no such encoder.
        ValueError: If it has not as many layers.
    """
    if encoder is not None:
        try:
            config = encoder_config(encoder)
        except OSError as error:
            raise OSError(f"--student {encoder} could not be loaded: {error}") from error
    else:
        with torch.device("meta"):
            model = AutoModel.from_config(load_config(teacher))
        owners = [module for module in model.modules() if isinstance(module, MultitaskModel)]
        config = owners[0].config.encoder if owners else model.config
    config = copy.deepcopy(config)
    if layers is not None:
        _set_layers(config, layers)
    return config


def _set_layers(config: PreTrainedConfig, layers: int) -> None:
    if isinstance(config, RecurrentEncoderConfig) or not hasattr(config, "num_hidden_layers"):
        raise ValueError(f"--student_layers {layers}: encoders of the kind {config.model_type} cannot be shortened.")
    if not 1 <= layers <= config.num_hidden_layers:
        raise ValueError(f"--student_layers {layers}: the encoder has {config.num_hidden_layers} layers.")
    # Some configurations describe each layer.
    for name, value in config.to_dict().items():
        if isinstance(value, list) and len(value) == config.num_hidden_layers and re.search("layer", name):
            setattr(config, name, value[:layers])
    config.num_hidden_layers = layers


def _encoder_of(teacher: PreTrainedModel) -> PreTrainedModel:
    encoders = [module for module in teacher.modules() if isinstance(module, MultitaskModel)]
    if not encoders:
        raise ValueError(f"--teacher: a {type(teacher).__name__} is no model of csr-emotion's families.")
    return _without_adapter(encoders[0].encoder)


def _pretrained(name: str) -> PreTrainedModel:
    encoder = AutoModel.from_pretrained(resolve_encoder(name), dtype=torch.float32)
    return _without_adapter(encoder.encoder if isinstance(encoder, MultitaskModel) else encoder)


def _without_adapter(encoder: PreTrainedModel) -> PreTrainedModel:
    module: nn.Module = encoder
    if hasattr(module, "peft_config"):
        # A copy, because other encoders of the teacher may share the weights below the adapter.
        encoder = copy.deepcopy(encoder)
        merge_adapter(encoder)
    return encoder
