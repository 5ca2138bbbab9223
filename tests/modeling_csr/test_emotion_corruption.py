"""`emotion_corruption`: what the common space does not see of P_E in training."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from modeling_csr import CSRForSequenceClassification
from tests.helpers.tiny_models import Tokens, freeze

Factory = Callable[..., CSRForSequenceClassification]

ALMOST_ONE = 1 - 1e-12


def common_states_by_hand(model: CSRForSequenceClassification, halves: list[torch.Tensor]) -> torch.Tensor:
    first, _, _, last = model.csr.common_encoder
    return F.gelu(torch.cat(halves, dim=-1) @ first.weight.T + first.bias) @ last.weight.T + last.bias


@pytest.mark.parametrize("level", ["text", "token"])
def test_corruption_hides_the_emotion_half_in_training(token_csr: Factory, tokens: Tokens, level: str) -> None:
    model = token_csr(common_level=level, emotion_corruption=ALMOST_ONE, classifier_dropout=0.0)
    freeze(model.csr.emotion_encoder, model.csr.source_encoders)
    emotion, sources = model.csr.encode(**tokens)
    model.train()
    mask = tokens["attention_mask"]

    def common_space(emotion: torch.Tensor, sources: tuple[torch.Tensor, ...]) -> torch.Tensor:
        inputs = {"emotion_representation": emotion, "source_representations": sources}
        return model.csr(attention_mask=mask, **inputs).common_space

    hidden = common_space(emotion, sources)
    torch.testing.assert_close(hidden, common_space(torch.zeros_like(emotion), sources), rtol=0, atol=0)
    torch.testing.assert_close(hidden, common_space(torch.randn_like(emotion), sources), rtol=0, atol=0)
    # The sources are read as they are.
    halves = [*sources, torch.zeros_like(emotion)]
    by_hand = common_states_by_hand(model, halves)
    states = model.csr(attention_mask=mask, emotion_representation=emotion, source_representations=sources)
    torch.testing.assert_close(states.common_states if level == "token" else states.common_space, by_hand)
    assert not torch.allclose(hidden, common_space(emotion, tuple(source.flip(0) for source in sources)))
    # The target of the reconstruction, and what is returned as P_E, is whole.
    assert torch.equal(states.emotion_representation, emotion)
    other = model.csr(attention_mask=mask, emotion_representation=2 * emotion, source_representations=sources)
    assert (other.reconstruction_loss - states.reconstruction_loss).abs() > 1e-3


@pytest.mark.parametrize("level", ["text", "token"])
def test_corruption_drops_features_at_random_and_keeps_their_sum(
    token_csr: Factory, tokens: Tokens, level: str
) -> None:
    model = token_csr(common_level=level, emotion_corruption=0.25, classifier_dropout=0.0).train()
    seen = []
    hook = model.csr.common_encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    emotion = torch.rand(50, 8, 32) + 1 if level == "token" else torch.rand(400, 32) + 1
    model.csr(emotion_representation=emotion, source_representations=[emotion])
    hook.remove()
    source, corrupted = seen[0].split(32, dim=-1)
    assert torch.equal(source, emotion)
    dropped = corrupted == 0
    assert dropped.float().mean() == pytest.approx(0.25, abs=0.02)
    torch.testing.assert_close(corrupted[~dropped], emotion[~dropped] / 0.75)


@pytest.mark.parametrize("level", ["text", "token"])
def test_corruption_is_of_training_alone(token_csr: Factory, tokens: Tokens, labels: Tokens, level: str) -> None:
    model = token_csr(common_level=level)
    expected = model(**tokens, labels=labels["emotion"])
    model.config.emotion_corruption = ALMOST_ONE
    assert model.csr.config.emotion_corruption == ALMOST_ONE
    torch.testing.assert_close(dict(model(**tokens, labels=labels["emotion"])), dict(expected), rtol=0, atol=0)
    assert not torch.allclose(model.train()(**tokens).common_space, expected.common_space)
