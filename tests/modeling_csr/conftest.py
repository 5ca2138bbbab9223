"""Small models of all families on the tiny encoders, which all share one vocabulary."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoTokenizer

from modeling_csr import (
    CSRForSequenceClassification,
    DialogueForUtteranceClassification,
    MultitaskForSequenceClassification,
    SiameseModel,
)

TEXTS = ["I am so happy today!", "what a sad day", "they hate the rain, and we are afraid of the dog"]
TASKS = {
    "emotion": {"labels": ["anger", "fear", "joy", "love"], "problem_type": "multi_label_classification"},
    "sentiment": {"labels": ["negative", "neutral", "positive"], "problem_type": "single_label_classification"},
    "intensity": {"labels": ["anger", "joy"], "problem_type": "regression"},
}
DIALOGUE_LABELS = ["anger", "joy", "neutral"]
EncoderFactory = Callable[[str], Path]


@pytest.fixture(scope="session")
def tokens(tiny_encoder: EncoderFactory) -> dict[str, torch.Tensor]:
    """Three texts of different lengths, padded on the right."""
    batch = AutoTokenizer.from_pretrained(tiny_encoder("bert"))(TEXTS, padding=True, return_tensors="pt")
    return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}


@pytest.fixture
def tasks() -> dict[str, dict[str, Any]]:
    """A task of each problem type."""
    return deepcopy(TASKS)


@pytest.fixture
def labels() -> dict[str, torch.Tensor]:
    """Labels of the three texts by task."""
    return {
        "emotion": torch.tensor([[0, 0, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]]).float(),
        "sentiment": torch.tensor([2, 0, 0]),
        "intensity": torch.tensor([[0.1, 0.9], [0.6, 0.2], [0.7, 0.0]]),
    }


@pytest.fixture
def multitask(tiny_encoder: EncoderFactory) -> Callable[..., MultitaskForSequenceClassification]:
    """`multitask(model_type="bert", tasks=("emotion",), **config_kwargs)`, in eval mode."""

    def build(
        model_type: str = "bert", tasks: tuple[str, ...] = ("emotion",), **config_kwargs: Any
    ) -> MultitaskForSequenceClassification:
        chosen = {name: deepcopy(TASKS[name]) for name in tasks}
        folder = str(tiny_encoder(model_type))
        return MultitaskForSequenceClassification.from_encoder(folder, chosen, config_kwargs=config_kwargs).eval()

    return build


@pytest.fixture
def siamese(multitask: Callable[..., MultitaskForSequenceClassification]) -> Callable[..., SiameseModel]:
    """`siamese(model_type="bert", **config_kwargs)`, in eval mode."""

    def build(model_type: str = "bert", **config_kwargs: Any) -> SiameseModel:
        return SiameseModel.from_encoder(multitask(model_type).multitask, **config_kwargs).eval()

    return build


@pytest.fixture
def csr(multitask: Callable[..., MultitaskForSequenceClassification]) -> Callable[..., CSRForSequenceClassification]:
    """`csr(emotion="bert", sources=("distilbert",), **config_kwargs)`, with the four emotions, in eval mode."""

    def build(
        emotion: str = "bert", sources: tuple[str, ...] = ("distilbert",), **config_kwargs: Any
    ) -> CSRForSequenceClassification:
        names = TASKS["emotion"]["labels"]
        return CSRForSequenceClassification.from_encoders(
            multitask(emotion).multitask,
            [multitask(source, tasks=("sentiment",)).multitask for source in sources],
            id2label=dict(enumerate(names)),
            label2id={name: index for index, name in enumerate(names)},
            **config_kwargs,
        ).eval()

    return build


@pytest.fixture
def token_csr(csr: Callable[..., CSRForSequenceClassification]) -> Callable[..., CSRForSequenceClassification]:
    """`token_csr(emotion="bert", sources=("distilbert",), **config_kwargs)`, in eval mode, with attentions that differ
    from a mean."""

    def build(*args: str, **options: object) -> CSRForSequenceClassification:
        model = csr(*args, **{"common_level": "token", **options})
        for part in (model.csr.common_encoder, model.csr.decoder, model.csr.siamese, model.classifier):
            for parameter in part.parameters():
                if parameter.dim() > 1:
                    nn.init.normal_(parameter, std=0.3)
        return model

    return build


@pytest.fixture
def dialogue(
    multitask: Callable[..., MultitaskForSequenceClassification],
) -> Callable[..., DialogueForUtteranceClassification]:
    """`dialogue(context="full", model_type="bert", **config_kwargs)`, in eval mode, with weights that matter."""

    def build(
        context: str = "full", model_type: str = "bert", **config_kwargs: Any
    ) -> DialogueForUtteranceClassification:
        options = {"dialogue_size": 16, "num_attention_heads": 2, "max_speakers": 3, "max_distance": 2, **config_kwargs}
        model = DialogueForUtteranceClassification.from_encoder(
            multitask(model_type).multitask,
            context=context,
            id2label=dict(enumerate(DIALOGUE_LABELS)),
            label2id={name: index for index, name in enumerate(DIALOGUE_LABELS)},
            **options,
        )
        torch.manual_seed(4)
        for name, parameter in model.named_parameters():
            if "utterance_encoder" not in name and parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.4)
        return model.eval()

    return build
