"""The `dialogue` family: what a label may depend on, tokens or representations, and what is saved."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline

from modeling_csr import DialogueConfig, DialogueForUtteranceClassification, DialogueModel, MultitaskConfig
from modeling_csr.dialogue_layers import number_speakers
from tests.helpers.tiny_models import EMPTY

CONTEXTS = ("none", "past", "full")
LABELS = ["anger", "joy", "neutral"]
Factory = Callable[..., Any]


def vectors(batch: int, utterances: int, size: int = 32) -> torch.Tensor:
    return torch.randn(batch, utterances, size, generator=torch.Generator().manual_seed(5))


def changed(model: torch.nn.Module, position: int, speakers: torch.Tensor, change: str) -> list[bool]:
    """Of five utterances, whose logits change when one of them, or who says it, does."""
    inputs = {"utterance_representations": vectors(1, 5), "speaker_ids": speakers}
    before = model(**inputs).logits
    inputs = {name: value.clone() for name, value in inputs.items()}
    if change == "utterance":
        inputs["utterance_representations"][0, position] += 1
    else:
        inputs["speaker_ids"][0, position] = 9
    return [not torch.equal(*pair) for pair in zip(before[0], model(**inputs).logits[0], strict=True)]


def test_speakers_are_numbered_by_their_first_words() -> None:
    ids = torch.tensor([[7, 7, 3, 7, 9, 3], [0, 5, 5, 0, 1, 2]])
    assert number_speakers(ids).tolist() == [[0, 0, 1, 0, 2, 1], [0, 1, 1, 0, 2, 3]]


@pytest.mark.parametrize("position", [0, 2, 4])
def test_no_label_depends_on_more_than_its_context(dialogue: Factory, position: int) -> None:
    speakers = torch.tensor([[0, 1, 0, 1, 0]])
    assert changed(dialogue("none"), position, speakers, "utterance") == [place == position for place in range(5)]
    assert changed(dialogue("past"), position, speakers, "utterance") == [place >= position for place in range(5)]
    assert all(changed(dialogue("full"), position, speakers, "utterance"))


def test_no_label_depends_on_later_speakers(dialogue: Factory) -> None:
    speakers = torch.tensor([[0, 1, 0, 1, 0]])
    assert not any(changed(dialogue("none"), 3, speakers, "speaker"))
    assert changed(dialogue("past"), 3, speakers, "speaker") == [False, False, False, True, True]
    assert all(changed(dialogue("full"), 3, speakers, "speaker"))


def test_without_context_utterances_are_dialogues_of_their_own(dialogue: Factory) -> None:
    model, inputs = dialogue("none"), vectors(1, 4)
    together = model(utterance_representations=inputs, speaker_ids=torch.tensor([[0, 1, 2, 0]])).logits
    apart = model(utterance_representations=inputs.transpose(0, 1)).logits
    torch.testing.assert_close(together[0], apart[:, 0])
    # The same layers as with the past, so that what differs is the context alone.
    parameters = {name: value.shape for name, value in model.named_parameters()}
    assert parameters == {name: value.shape for name, value in dialogue("past").named_parameters()}


@pytest.mark.parametrize("context", CONTEXTS)
def test_it_does_not_matter_who_speakers_are(dialogue: Factory, context: str) -> None:
    model, inputs = dialogue(context), vectors(1, 4)
    first, same, other = (
        model(utterance_representations=inputs, speaker_ids=torch.tensor([ids])).logits
        for ids in ([0, 1, 0, 2], [812, 3, 812, 40], [0, 1, 1, 2])
    )
    assert torch.equal(first, same)
    assert torch.equal(first, other) == (context == "none")


def test_more_speakers_than_are_told_apart_share_a_number(dialogue: Factory) -> None:
    ids = torch.arange(6)[None]
    assert dialogue("past")(utterance_representations=vectors(1, 6), speaker_ids=ids).logits.isfinite().all()


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("model_type", ["bert", "roberta"])
def test_tokens_give_what_their_representations_give(
    dialogue: Factory, tiny_encoder: Callable[[str], Path], context: str, model_type: str
) -> None:
    model = dialogue(context, model_type)
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder(model_type))
    texts = ["what a day", "I am so happy today, my friend", "never again", "no"]
    tokens = tokenizer(texts, padding=True, return_tensors="pt")
    # Two dialogues, of three utterances and of one.
    batch = {name: torch.zeros(2, 3, tokens["input_ids"].shape[1], dtype=torch.long) for name in tokens}
    for name, rows in batch.items():
        rows[0], rows[1, 0] = tokens[name][:3], tokens[name][3]
    mask, speakers = torch.tensor([[1, 1, 1], [1, 0, 0]]), torch.tensor([[0, 1, 0], [0, 0, 0]])
    places = {"utterance_mask": mask, "speaker_ids": speakers}
    from_tokens = model(**batch, **places)
    alone = [model.dialogue.utterance_encoder(**tokenizer(text, return_tensors="pt")).representation for text in texts]
    representations = torch.zeros(2, 3, 32)
    representations[0], representations[1, 0] = torch.cat(alone[:3]), alone[3][0]
    found = model(utterance_representations=representations, **places)
    torch.testing.assert_close(from_tokens.logits[mask.bool()], found.logits[mask.bool()], rtol=1e-4, atol=1e-5)
    # Single utterances, as pipelines pass them.
    single = model(**tokens)
    assert single.logits.shape == (4, 3)
    torch.testing.assert_close(single.logits[3], found.logits[1, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("context", CONTEXTS)
def test_padding_changes_nothing(dialogue: Factory, context: str) -> None:
    model = dialogue(context)
    inputs, speakers = vectors(2, 5), torch.tensor([[0, 1, 0, 2, 1], [1, 1, 0, 4, 4]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    labels = torch.tensor([[0, 1, 2, 1, 0], [2, 0, -100, -100, -100]])
    padded = model(utterance_representations=inputs, speaker_ids=speakers, utterance_mask=mask, labels=labels)
    cut = model(utterance_representations=inputs[1:, :2], speaker_ids=speakers[1:, :2])
    whole = model(utterance_representations=inputs[:1], speaker_ids=speakers[:1])
    torch.testing.assert_close(padded.logits[1, :2], cut.logits[0])
    torch.testing.assert_close(padded.logits[0], whole.logits[0])
    expected = torch.cat([whole.logits[0], cut.logits[0]]).log_softmax(-1)
    by_hand = -expected[torch.arange(7), torch.tensor([0, 1, 2, 1, 0, 2, 0])].mean()
    torch.testing.assert_close(padded.loss, by_hand)


def test_utterances_without_a_label_add_nothing_and_weights_count(dialogue: Factory) -> None:
    inputs = {"utterance_representations": vectors(1, 3)}
    model = dialogue(class_weights=[1.0, 3.0, 0.5])
    labels = torch.tensor([[-100, 1, 2]])
    losses = -model(**inputs).logits[0].log_softmax(-1)
    expected = 3 * losses[1, 1] + 0.5 * losses[2, 2]
    torch.testing.assert_close(model(**inputs, labels=labels).loss, expected / 2)
    torch.testing.assert_close(model(**inputs, labels=labels, num_items_in_batch=torch.tensor(8)).loss, expected / 8)


def test_several_labels_an_utterance(dialogue: Factory) -> None:
    model, inputs = dialogue(problem_type="multi_label_classification"), vectors(1, 3)
    nan = float("nan")
    labels = torch.tensor([[[0.0, 1, 1], [nan, nan, nan], [1.0, 0, 0]]])
    output = model(utterance_representations=inputs, labels=labels)
    probabilities = output.logits[0].sigmoid()
    expected = -torch.where(labels[0] == 1, probabilities, 1 - probabilities).log()[[0, 2]].mean()
    torch.testing.assert_close(output.loss, expected)


@pytest.mark.parametrize("context", CONTEXTS)
def test_attention_weights(dialogue: Factory, context: str) -> None:
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    inputs = {"utterance_representations": vectors(2, 4), "utterance_mask": mask}
    assert dialogue(context)(**inputs).attentions is None
    output = dialogue(context)(**inputs, output_attentions=True)
    assert output.attentions.shape == (2, 2, 4, 4) and output.pooling_attentions.shape == (2, 4, 4)
    for weights in (*output.attentions.unbind(1), output.pooling_attentions):
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4))
        if context == "none":
            torch.testing.assert_close(weights, torch.eye(4).expand(2, 4, 4))
        elif context == "past":
            assert weights.triu(1).eq(0).all() and weights.tril().gt(0).sum() == 20
        else:
            assert weights[1, :, 2:].eq(0).all() and weights[0].gt(0).all()
    if context == "past":
        # The pooling weighs an utterance the same, whoever asks: the rows differ by how much they may read alone.
        first, last = output.pooling_attentions[0, 2, :3], output.pooling_attentions[0, 3, :3]
        torch.testing.assert_close(first, last / last.sum())


def test_what_came_before_need_not_be_read_again(dialogue: Factory) -> None:
    model, inputs, speakers = dialogue("past"), vectors(2, 6), torch.tensor([[3, 1, 3, 1, 2, 3], [0, 0, 5, 5, 0, 5]])
    whole = model(utterance_representations=inputs, speaker_ids=speakers, output_attentions=True)
    past = None
    for start, end in ((0, 1), (1, 4), (4, 6)):
        output = model(
            utterance_representations=inputs[:, start:end],
            speaker_ids=speakers[:, start:end],
            past=past,
            use_cache=True,
            output_attentions=True,
        )
        past = output.past
        torch.testing.assert_close(output.logits, whole.logits[:, start:end])
        torch.testing.assert_close(output.attentions, whole.attentions[:, :, start:end, :end])


def test_bad_inputs_are_refused(dialogue: Factory) -> None:
    model, inputs = dialogue("past"), vectors(1, 3)
    with pytest.raises(ValueError, match="Pass input_ids, or utterance_representations"):
        model()
    for mask in ([[0, 1, 1]], [[1, 0, 1]], [[0, 0, 0]]):
        with pytest.raises(ValueError, match="then 0 for padding"):
            model(utterance_representations=inputs, utterance_mask=torch.tensor(mask))
    with pytest.raises(ValueError, match="dialogues without padding"):
        model(utterance_representations=inputs, utterance_mask=torch.tensor([[1, 1, 0]]), use_cache=True)
    with pytest.raises(ValueError, match='need context="past"'):
        dialogue("full")(utterance_representations=inputs, use_cache=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"context": "future"}, "context must be one of none, past, full"),
        ({"dialogue_size": 15}, "dialogue_size .15. must be even and a multiple"),
        ({"dialogue_size": 10}, "dialogue_size .10. must be even and a multiple of num_attention_heads .4."),
        ({"max_speakers": 0}, "max_speakers must be at least 1, got 0"),
        ({"problem_type": "ranking"}, "problem_type must be one of"),
        ({"class_weights": [1.0]}, "There are 2 labels but 1 class_weights"),
    ],
)
def test_bad_configs_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DialogueConfig(utterance_encoder=MultitaskConfig(), **options)


def test_a_frozen_encoder_has_no_dropout_in_training(dialogue: Factory, tiny_encoder: Callable[[str], Path]) -> None:
    model = dialogue()
    model.dialogue.utterance_encoder.requires_grad_(False)
    model.train()
    assert not model.dialogue.utterance_encoder.training and model.dialogue.recurrent.training
    tokens = AutoTokenizer.from_pretrained(tiny_encoder("bert"))(["so", "what"], return_tensors="pt")
    batch = {name: value[None] for name, value in tokens.items()}
    assert torch.equal(model.dialogue.encode(**batch), model.dialogue.encode(**batch))


# -- what is saved ---


@pytest.mark.parametrize("context", CONTEXTS)
def test_auto_classes(dialogue: Factory, tmp_path: Path, context: str) -> None:
    model, inputs = dialogue(context, thresholds=[0.1, 0.2, 0.3]), vectors(2, 3)
    model.save_pretrained(tmp_path)
    for auto, cls, part in (
        (AutoModelForSequenceClassification, DialogueForUtteranceClassification, model),
        (AutoModel, DialogueModel, model.dialogue),
    ):
        loaded, info = auto.from_pretrained(tmp_path, output_loading_info=True)
        assert type(loaded) is cls and info == EMPTY
        expected, found = (one(utterance_representations=inputs)[0] for one in (part, loaded))
        assert torch.equal(found, expected)
    config = AutoConfig.from_pretrained(tmp_path)
    assert type(config) is DialogueConfig and type(config.utterance_encoder) is MultitaskConfig
    assert config.context == context and config.id2label == dict(enumerate(LABELS))
    # Only the outer config names classes.
    assert "auto_map" not in json.loads((tmp_path / "config.json").read_text())["utterance_encoder"]


LOAD = """
import json, sys
import torch
try:
    import modeling_csr
except ImportError:
    pass
else:
    sys.exit("modeling_csr can be imported")
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline

folder = sys.argv[1]
found, inputs = {}, torch.load(f"{folder}/inputs.pt", weights_only=True)
for auto in (AutoModel, AutoModelForSequenceClassification):
    model, info = auto.from_pretrained(folder, output_loading_info=True, trust_remote_code=True)
    assert not any(info.values()), info
    found[type(model).__name__] = model(utterance_representations=inputs)[0].tolist()
tracker = model.tracker(AutoTokenizer.from_pretrained(folder, trust_remote_code=True))
found["tracked"] = tracker.add("what a day", speaker="Ana")
found["scores"] = pipeline("text-classification", model=folder, top_k=None, trust_remote_code=True)(["what a day"])[0]
print(json.dumps(found))
"""


def test_a_fresh_process_without_the_package_gives_the_same(
    dialogue: Factory, tiny_encoder: Callable[[str], Path], fresh_python: Callable[..., str], tmp_path: Path
) -> None:
    model, inputs = dialogue("past"), vectors(2, 3)
    model.save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder("bert"))
    tokenizer.save_pretrained(tmp_path)
    torch.save(inputs, tmp_path / "inputs.pt")
    found = json.loads(fresh_python(LOAD, tmp_path).splitlines()[-1])
    for part in (model, model.dialogue):
        value = torch.tensor(found[type(part).__name__])
        torch.testing.assert_close(value, part(utterance_representations=inputs)[0])
    expected = model(**tokenizer("what a day", return_tensors="pt")).logits[0].softmax(-1)
    expected = pytest.approx(dict(zip(LABELS, expected.tolist(), strict=True)), abs=1e-5)
    assert found["tracked"] == expected
    assert {entry["label"]: entry["score"] for entry in found["scores"]} == expected


def test_pipelines_read_single_utterances_in_batches(
    dialogue: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path
) -> None:
    dialogue("full").save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_encoder("bert")).save_pretrained(tmp_path)
    classify = pipeline("text-classification", model=str(tmp_path), top_k=None)
    texts = ["what a day", "I am so happy today, my friend", "no"]
    for found, alone in zip(classify(texts, batch_size=3), (classify([text])[0] for text in texts), strict=True):
        scores, expected = ({entry["label"]: entry["score"] for entry in entries} for entries in (found, alone))
        assert scores == pytest.approx(expected, abs=1e-5)
