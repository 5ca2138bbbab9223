"""Saved common spaces, and new ones on trained parts."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from modeling_csr import CSRForSequenceClassification, CSRModel, SiameseModel
from tests.helpers.tiny_models import EMPTY, MODEL_TYPES, Tokens

Factory = Callable[..., CSRForSequenceClassification]


@pytest.mark.parametrize(
    ("emotion", "sources", "level"),
    [
        *((model_type, (model_type, "distilbert"), "text") for model_type in MODEL_TYPES),
        *(("modernbert", sources, "token") for sources in ((), ("distilbert",), ("electra", "roberta"))),
    ],
)
@pytest.mark.parametrize("cls", [CSRForSequenceClassification, CSRModel])
def test_round_trip(
    token_csr: Factory, tokens: Tokens, tmp_path: Path, cls: type, emotion: str, sources: tuple[str, ...], level: str
) -> None:
    model = token_csr(emotion, sources=sources, common_level=level)
    model = model if cls is CSRForSequenceClassification else model.csr
    model.save_pretrained(tmp_path)
    loaded, info = cls.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert not loaded.training
    torch.testing.assert_close(dict(loaded(**tokens)), dict(model(**tokens)), rtol=0, atol=0)


@pytest.mark.parametrize("level", ["text", "token"])
def test_loading_the_base_of_a_classifier_drops_the_classifier(
    token_csr: Factory, tokens: Tokens, tmp_path: Path, level: str
) -> None:
    model = token_csr(common_level=level)
    model.save_pretrained(tmp_path)
    base, info = CSRModel.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    torch.testing.assert_close(dict(base(**tokens)), dict(model.csr(**tokens)), rtol=0, atol=0)


def test_a_classifier_on_a_trained_common_space(csr: Factory, tokens: Tokens, tmp_path: Path) -> None:
    base = csr().csr
    base.save_pretrained(tmp_path)
    model, info = CSRForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY | {"missing_keys": {"classifier.weight", "classifier.bias"}}
    assert torch.equal(model(**tokens).common_space, base(**tokens).common_space)


def test_from_encoders_keeps_the_trained_parts(
    csr: Factory, multitask: Callable, siamese: Callable[..., SiameseModel], tokens: Tokens
) -> None:
    trained = siamese("electra", siamese_size=5, siamese_loss="contrastive", siamese_margin=2.0)
    source = multitask("roberta", tasks=("sentiment",)).multitask
    model = CSRForSequenceClassification.from_encoders(trained.emotion_encoder, [source], trained).eval()
    output = model.csr(**tokens)
    assert torch.equal(output.emotion_representation, trained.emotion_encoder(**tokens).representation)
    assert torch.equal(output.source_representations[0], source(**tokens).representation)
    for name, weight in trained.siamese.state_dict().items():
        assert torch.equal(model.csr.siamese.state_dict()[name], weight)
    assert model.config.siamese_size == 5
    assert model.config.siamese_loss == "contrastive"
    assert model.config.siamese_margin == 2.0


@pytest.mark.parametrize("level", ["text", "token"])
def test_from_common_space_keeps_it_for_other_labels(csr: Factory, tokens: Tokens, level: str) -> None:
    of_labels = {"thresholds": [0.1, 0.2, 0.3, 0.4], "class_weights": [1.0, 2.0, 3.0, 4.0], "label_loss": "asymmetric"}
    trained = csr(common_size=7, common_level=level, **of_labels)
    names = {"id2label": {0: "glad", 1: "sad"}, "label2id": {"glad": 0, "sad": 1}}
    single = {"problem_type": "single_label_classification"}
    model = CSRForSequenceClassification.from_common_space(trained.csr, **names, **single).eval()
    assert model(**tokens).logits.shape == (3, 2)
    assert torch.equal(model(**tokens).common_space, trained(**tokens).common_space)
    assert model.csr.state_dict().keys() == trained.csr.state_dict().keys()
    assert model.config.id2label == names["id2label"] and model.config.label2id == names["label2id"]
    assert model.config.thresholds is None and model.config.class_weights is None
    assert model.config.label_loss == "cross_entropy"
    assert model.config.common_size == 7 and model.config.common_level == level
    assert model.config.architectures == ["CSRModel"] and model.config.problem_type == single["problem_type"]


def test_from_common_space_leaves_what_it_came_from_alone(csr: Factory, tokens: Tokens) -> None:
    trained = csr()
    before = trained(**tokens).logits
    model = CSRForSequenceClassification.from_common_space(trained.csr, num_labels=2)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    model.config.prediction_loss_weight = 0.5
    assert torch.equal(trained(**tokens).logits, before)
    assert trained.config.prediction_loss_weight == 1.0 and trained.config.num_labels == 4


def test_encoders_of_different_widths(multitask: Callable, tokens: Tokens, tmp_path: Path) -> None:
    emotion = multitask(shared_layer_sizes=[10], representation="shared").multitask
    source = multitask("roberta", shared_layer_sizes=[6], representation="shared").multitask
    model = CSRForSequenceClassification.from_encoders(emotion, [source]).eval()
    base = model.csr(**tokens)
    assert base.emotion_representation.shape == (3, 10)
    assert base.source_representations[0].shape == (3, 6)
    assert base.common_space.shape == (3, 5)
    logits = model(**tokens).logits
    model.save_pretrained(tmp_path)
    loaded = CSRForSequenceClassification.from_pretrained(tmp_path)
    assert torch.equal(loaded(**tokens).logits, logits)
