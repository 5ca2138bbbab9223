"""The recurrent encoder: its branches, that padding changes nothing, and that it stands where BERT stands."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModel

from modeling_csr import (
    MultitaskConfig,
    MultitaskForSequenceClassification,
    RecurrentEncoderConfig,
    RecurrentEncoderModel,
)
from trainers.loop.encoders import dropout_fields
from trainers.loop.half_precision import HalfPrecisionForward

BRANCHES: dict[str, dict[str, Any]] = {
    "cnn": {"type": "cnn", "hidden_size": 3, "kernel_sizes": [2, 3]},
    "lstm": {"type": "lstm", "hidden_size": 4},
    "bilstm": {"type": "bilstm", "hidden_size": 3, "num_layers": 2},
    "gru": {"type": "gru", "hidden_size": 5, "num_layers": 2},
    "bigru": {"type": "bigru", "hidden_size": 2},
}
WIDTHS = {"cnn": 6, "lstm": 4, "bilstm": 6, "gru": 5, "bigru": 4}
IDS = torch.tensor([[3, 4, 5, 6, 7], [8, 9, 0, 0, 0], [7, 0, 0, 0, 0]])
MASK = (IDS > 0).long()
EMOTION = {"labels": ["anger", "fear", "joy"], "problem_type": "single_label_classification"}


def config(*names: str, **options: Any) -> RecurrentEncoderConfig:
    branches = [BRANCHES[name] for name in names or BRANCHES]
    return RecurrentEncoderConfig(vocab_size=20, embedding_size=6, branches=branches, **options)


def encoder(*names: str, **options: Any) -> RecurrentEncoderModel:
    torch.manual_seed(0)
    return RecurrentEncoderModel(config(*names, **options)).eval()


# -- the configuration ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BRANCHES)
def test_width_of_a_branch(name: str) -> None:
    assert config(name).hidden_size == WIDTHS[name]
    assert encoder(name)(IDS, MASK).last_hidden_state.shape == (3, 5, WIDTHS[name])


def test_an_encoder_is_as_wide_as_its_branches_together(tmp_path: Path) -> None:
    whole = config(projection_size=4)
    assert whole.hidden_size == sum(WIDTHS.values())
    whole.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert type(loaded) is RecurrentEncoderConfig and loaded.hidden_size == whole.hidden_size
    assert loaded.to_diff_dict() == whole.to_diff_dict()


def test_dropout_is_found_by_name() -> None:
    assert set(dropout_fields(config())) == {"embedding_dropout", "hidden_dropout"}


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        ({"type": "rnn", "hidden_size": 2}, r"Branch 1, .*'rnn'.*: type must be one of cnn, lstm, bilstm, gru, bigru"),
        ({"type": "lstm"}, "hidden_size must be a positive integer, got None"),
        ({"type": "lstm", "hidden_size": 0}, "hidden_size must be a positive integer, got 0"),
        ({"type": "lstm", "hidden_size": 2, "kernel_sizes": [3]}, "lstm branches have no kernel_sizes"),
        ({"type": "cnn", "hidden_size": 2, "num_layers": 2}, "cnn branches have no num_layers"),
        ({"type": "cnn", "hidden_size": 2, "kernel_sizes": []}, r"kernel_sizes must be a positive integer, got \[\]"),
    ],
)
def test_bad_branches_are_named(branch: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecurrentEncoderConfig(branches=[branch])


def test_no_branch_and_unknown_pooling_are_errors() -> None:
    with pytest.raises(ValueError, match="at least one branch"):
        RecurrentEncoderConfig(branches=[])
    with pytest.raises(ValueError, match="pooling must be one of"):
        RecurrentEncoderConfig(pooling="sum")


# -- the branches -----------------------------------------------------------------------------------------------------


def test_a_bilstm_is_that_of_torch_on_packed_sequences() -> None:
    model = encoder("bilstm")
    reference = nn.LSTM(6, 3, num_layers=2, batch_first=True, bidirectional=True)
    for number, directions in enumerate(model.branches[0].layers):
        for direction, suffix in zip(directions, ("", "_reverse"), strict=True):
            for name, parameter in direction.named_parameters():
                getattr(reference, f"{name[:-1]}{number}{suffix}").data.copy_(parameter)
    lengths = MASK.sum(dim=1)
    packed = nn.utils.rnn.pack_padded_sequence(model.word_embeddings(IDS), lengths, batch_first=True)
    expected, _ = nn.utils.rnn.pad_packed_sequence(reference(packed)[0], batch_first=True)
    torch.testing.assert_close(model(IDS, MASK).last_hidden_state, expected)


def test_a_convolution_by_hand() -> None:
    """One filter of width 3 that sums up, over embeddings of width 1."""
    branch = {"type": "cnn", "hidden_size": 1, "kernel_sizes": [3]}
    model = RecurrentEncoderModel(RecurrentEncoderConfig(vocab_size=5, embedding_size=1, branches=[branch])).eval()
    with torch.no_grad():
        model.branches[0].convolutions[0].weight.fill_(1.0)
        model.word_embeddings.weight.copy_(torch.tensor([[0.0], [1.0], [10.0], [100.0], [-500.0]]))
    states = model(torch.tensor([[1, 2, 3, 4]])).last_hidden_state
    assert states.squeeze().tolist() == [11.0, 111.0, 0.0, 0.0]


def test_branches_stand_side_by_side() -> None:
    model = encoder()
    alone = []
    for name, branch in zip(BRANCHES, model.branches, strict=True):
        single = encoder(name)
        single.word_embeddings, single.branches[0] = model.word_embeddings, branch
        alone.append(single(IDS, MASK).last_hidden_state)
    torch.testing.assert_close(model(IDS, MASK).last_hidden_state, torch.cat(alone, dim=-1))


def test_the_forget_gate_is_open_at_first_and_padding_is_zero() -> None:
    model = encoder("bilstm")
    for directions in model.branches[0].layers:
        for direction in directions:
            assert direction.bias_ih_l0.tolist() == [0.0] * 3 + [1.0] * 3 + [0.0] * 6
            gate = direction.weight_hh_l0[:3]
            torch.testing.assert_close(gate @ gate.T, torch.eye(3))
    assert not model.word_embeddings.weight[0].any() and model.word_embeddings.weight[1:].any(dim=1).all()


# -- padding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["max", "mean", "cls"])
@pytest.mark.parametrize("name", BRANCHES)
def test_padding_changes_nothing(name: str, pooling: str) -> None:
    model = encoder(name, projection_size=4, pooling=pooling)
    padded = model(IDS, MASK)
    for row, length in enumerate(MASK.sum(dim=1).tolist()):
        alone = model(IDS[row : row + 1, :length])
        torch.testing.assert_close(padded.last_hidden_state[row, :length], alone.last_hidden_state[0])
        torch.testing.assert_close(padded.pooler_output[row], alone.pooler_output[0])
        assert not padded.last_hidden_state[row, length:].any()
        left = model(IDS[row : row + 1].roll(5 - length, dims=1), MASK[row : row + 1].roll(5 - length, dims=1))
        torch.testing.assert_close(left.last_hidden_state[0, 5 - length :], alone.last_hidden_state[0])
        torch.testing.assert_close(left.pooler_output, alone.pooler_output)


@pytest.mark.parametrize("name", BRANCHES)
def test_what_stands_at_padding_has_no_part(name: str) -> None:
    model = encoder(name)
    other = torch.where(MASK.bool(), IDS, 13)
    torch.testing.assert_close(model(other, MASK).last_hidden_state, model(IDS, MASK).last_hidden_state)
    between = torch.tensor([[8, 13, 9]]), torch.tensor([[1, 0, 1]])
    states = model(*between).last_hidden_state[0, [0, 2]]
    torch.testing.assert_close(states, model(torch.tensor([[8, 9]])).last_hidden_state[0])


def test_a_text_without_tokens_is_finite() -> None:
    output = encoder()(IDS, torch.zeros_like(MASK))
    assert not output.last_hidden_state.any() and not output.pooler_output.any()


# -- where BERT stands ------------------------------------------------------------------------------------------------


def test_embeddings_instead_of_ids() -> None:
    model = encoder(projection_size=4)
    found = model(inputs_embeds=model.get_input_embeddings()(IDS), attention_mask=MASK, output_hidden_states=True)
    torch.testing.assert_close(found.last_hidden_state, model(IDS, MASK).last_hidden_state)
    assert [state.shape[-1] for state in found.hidden_states] == [4, model.config.hidden_size]
    with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
        model(attention_mask=MASK)


def test_save_and_reload(tmp_path: Path) -> None:
    model = encoder(projection_size=4)
    model.save_pretrained(tmp_path)
    loaded, info = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert type(loaded) is RecurrentEncoderModel and not any(info.values())
    assert torch.equal(loaded(IDS, MASK).last_hidden_state, model(IDS, MASK).last_hidden_state)


def test_as_the_encoder_of_a_classifier(tmp_path: Path) -> None:
    encoder(projection_size=4, hidden_dropout=0.25).save_pretrained(tmp_path / "start")
    model = MultitaskForSequenceClassification.from_encoder(
        str(tmp_path / "start"), {"emotion": EMOTION}, config_kwargs={"pooling": "max"}
    ).eval()
    assert model.config.encoder.hidden_dropout == 0.25
    assert model.multitask.encoder.pooler is None
    # Runs set the attention of every encoder.
    model.set_attn_implementation("eager")
    torch.testing.assert_close(model(IDS, MASK).representation, encoder(projection_size=4)(IDS, MASK).pooler_output)
    model.save_pretrained(tmp_path / "trained")
    loaded, info = MultitaskForSequenceClassification.from_pretrained(tmp_path / "trained", output_loading_info=True)
    assert type(loaded.multitask.encoder) is RecurrentEncoderModel and not any(info.values())
    assert torch.equal(loaded(IDS, MASK).logits, model(IDS, MASK).logits)


def test_gradients_in_half_precision_are_close() -> None:
    torch.manual_seed(0)
    model = MultitaskForSequenceClassification(MultitaskConfig(encoder=config(), tasks={"emotion": EMOTION})).eval()
    batch = {"input_ids": IDS, "attention_mask": MASK, "labels": torch.tensor([0, 2, 1])}
    gradients = []
    for forward in (lambda: HalfPrecisionForward()(model, batch), lambda: model(**batch)):
        model.zero_grad()
        forward().loss.backward()
        assert {value.grad.dtype for value in model.parameters() if value.grad is not None} == {torch.float32}
        gradients.append(torch.cat([value.grad.flatten() for value in model.parameters()]))
    assert 1e-5 < (gradients[0] - gradients[1]).norm() / gradients[1].norm() < 0.05


def test_one_big_batch_or_several_small_ones() -> None:
    """Gradients add up to those of the whole batch, however much padding each of the small ones needs."""
    torch.manual_seed(0)
    model = MultitaskForSequenceClassification(MultitaskConfig(encoder=config(), tasks={"emotion": EMOTION})).eval()
    labels, gradients = torch.tensor([0, 2, 1]), []
    for rows in ([slice(0, 3)], [slice(0, 1), slice(1, 2), slice(2, 3)]):
        model.zero_grad()
        for part in rows:
            width = int(MASK[part].sum(dim=1).max())
            model(
                input_ids=IDS[part, :width],
                attention_mask=MASK[part, :width],
                labels=labels[part],
                num_items_in_batch=torch.tensor(3),
            ).loss.backward()
        gradients.append(torch.cat([value.grad.flatten() for value in model.parameters()]))
    torch.testing.assert_close(*gradients, atol=1e-7, rtol=1e-4)
