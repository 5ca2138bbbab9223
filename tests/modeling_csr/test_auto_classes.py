"""The Auto classes in a process that has imported the package."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
)

from modeling_csr import (
    CSRConfig,
    CSRForSequenceClassification,
    CSRModel,
    MultitaskConfig,
    MultitaskForSequenceClassification,
    MultitaskModel,
    SiameseModel,
)
from tests.helpers.tiny_models import EMPTY, MODEL_TYPES, Tokens

Factory = Callable[..., Any]


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_auto_classes(
    multitask: Factory, csr: Factory, siamese: Factory, tokens: Tokens, tmp_path: Path, model_type: str
) -> None:
    # model, Auto class, the class that is loaded, the output to compare
    cases = [
        (multitask(model_type), AutoModelForSequenceClassification, MultitaskForSequenceClassification, "logits"),
        (multitask(model_type), AutoModel, MultitaskModel, "representation"),
        (multitask(model_type).multitask, AutoModel, MultitaskModel, "representation"),
        (csr(model_type), AutoModelForSequenceClassification, CSRForSequenceClassification, "logits"),
        (csr(model_type), AutoModel, CSRModel, "common_space"),
        (csr(model_type).csr, AutoModel, CSRModel, "common_space"),
        (
            csr(model_type, common_level="token"),
            AutoModelForSequenceClassification,
            CSRForSequenceClassification,
            "logits",
        ),
        (csr(model_type, common_level="token"), AutoModel, CSRModel, "common_space"),
        (siamese(model_type), AutoModel, SiameseModel, "embeddings"),
    ]
    for number, (model, auto_class, cls, name) in enumerate(cases):
        folder = tmp_path / str(number)
        model.save_pretrained(folder)
        loaded, info = auto_class.from_pretrained(folder, output_loading_info=True)
        assert type(loaded) is cls
        assert info == EMPTY
        assert torch.equal(loaded(**tokens)[name], model(**tokens)[name])


def test_auto_config(multitask: Factory, csr: Factory, siamese: Factory, tmp_path: Path) -> None:
    for model, cls in ((multitask(), MultitaskConfig), (csr(), CSRConfig), (siamese(), CSRConfig)):
        model.save_pretrained(tmp_path)
        assert type(AutoConfig.from_pretrained(tmp_path)) is cls


def test_auto_classes_build_from_a_config(multitask: Factory, csr: Factory) -> None:
    for config, base, classifier in (
        (multitask().config, MultitaskModel, MultitaskForSequenceClassification),
        (csr().config, CSRModel, CSRForSequenceClassification),
    ):
        assert type(AutoModelForSequenceClassification.from_config(config)) is classifier
        assert type(AutoModel.from_config(config)) is base
