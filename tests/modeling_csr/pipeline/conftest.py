"""Models whose scores differ from text to text, for the tests of the emotion pipeline."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

Factory = Callable[..., Any]


@pytest.fixture
def tokenizer(tiny_encoder: Callable[[str], Path]) -> Any:
    return AutoTokenizer.from_pretrained(tiny_encoder("bert"))


def decided(model: PreTrainedModel) -> PreTrainedModel:
    """New heads give nearly the same scores to all texts: here they are apart, and so is the common space."""
    for name, parameter in model.named_parameters():
        if name.startswith(("classifier", "pre_classifier", "heads", "csr.common_encoder", "multitask.shared_layers")):
            torch.nn.init.normal_(parameter, std=0.2)
    return model


@pytest.fixture
def csr(csr: Factory) -> Factory:
    return lambda *args, **kwargs: decided(csr(*args, **kwargs))


@pytest.fixture
def multitask(multitask: Factory) -> Factory:
    return lambda *args, **kwargs: decided(multitask(*args, **kwargs))


@pytest.fixture
def stock(tiny_encoder: Callable[[str], Path]) -> Factory:
    """`stock(model_type="bert", num_labels=3, **config_kwargs)`: a classifier of transformers itself."""

    def build(model_type: str = "bert", num_labels: int = 3, **config_kwargs: Any) -> PreTrainedModel:
        names = ["negative", "neutral", "positive"][:num_labels]
        model = AutoModelForSequenceClassification.from_pretrained(
            tiny_encoder(model_type),
            id2label=dict(enumerate(names)),
            label2id={name: index for index, name in enumerate(names)},
            **config_kwargs,
        )
        return decided(model.eval())

    return build
