"""The tracker says at each utterance what the model says of the last one of the dialogue so far."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from modeling_csr import DialogueForUtteranceClassification, DialogueTracker

LABELS = ["anger", "joy", "neutral"]
DIALOGUE = [
    ("Ana", "what a sad day"),
    ("Ben", "no, I am so happy today, we have music and all my friends are here"),
    ("Ben", "are you angry?"),
    ("Ana", "you lost my dog"),
    ("a voice that nobody knows", "the dog is here"),
    ("Ana", "love you all"),
]


@pytest.fixture
def tokenizer(tiny_encoder: Callable[[str], Path]) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_encoder("bert"))


def batch_logits(
    model: DialogueForUtteranceClassification, tokenizer: PreTrainedTokenizerBase, length: int
) -> torch.Tensor:
    """The logits of the first utterances, all read at once."""
    speakers, texts = zip(*DIALOGUE[:length], strict=True)
    tokens = {name: rows[None] for name, rows in tokenizer(list(texts), padding=True, return_tensors="pt").items()}
    ids = torch.tensor([[list(dict.fromkeys(speakers)).index(speaker) for speaker in speakers]])
    with torch.no_grad():
        return model(**tokens, speaker_ids=ids).logits[0]


@pytest.mark.parametrize("context", ["none", "past", "full"])
def test_each_prefix_gives_what_the_batch_gives(
    dialogue: Callable[..., DialogueForUtteranceClassification], tokenizer: PreTrainedTokenizerBase, context: str
) -> None:
    model = dialogue(context)
    tracker = model.tracker(tokenizer)
    assert type(tracker) is DialogueTracker
    whole = batch_logits(model, tokenizer, len(DIALOGUE)).softmax(-1)
    for _ in range(2):
        for length, (speaker, text) in enumerate(DIALOGUE, start=1):
            found = tracker.add(text, speaker=speaker)
            assert list(found) == LABELS
            expected = batch_logits(model, tokenizer, length)[-1].softmax(-1)
            assert list(found.values()) == pytest.approx(expected.tolist(), abs=1e-5)
            if context != "full":
                # What comes later changes nothing.
                assert list(found.values()) == pytest.approx(whole[length - 1].tolist(), abs=1e-5)
        tracker.reset()


@pytest.mark.parametrize("context", ["none", "past", "full"])
def test_no_text_is_read_twice(
    dialogue: Callable[..., DialogueForUtteranceClassification], tokenizer: PreTrainedTokenizerBase, context: str
) -> None:
    model = dialogue(context)
    read: list[int] = []
    model.dialogue.utterance_encoder.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    tracker = DialogueTracker(model, tokenizer)
    for speaker, text in DIALOGUE:
        tracker.add(text, speaker=speaker)
    assert read == [1] * len(DIALOGUE)


def test_several_labels_have_probabilities_of_their_own(
    dialogue: Callable[..., DialogueForUtteranceClassification], tokenizer: PreTrainedTokenizerBase
) -> None:
    model = dialogue("past", problem_type="multi_label_classification")
    found = model.tracker(tokenizer).add(DIALOGUE[0][1])
    assert list(found.values()) == pytest.approx(batch_logits(model, tokenizer, 1)[0].sigmoid().tolist(), abs=1e-5)


def test_long_utterances_are_cut(
    dialogue: Callable[..., DialogueForUtteranceClassification], tokenizer: PreTrainedTokenizerBase
) -> None:
    tracker = dialogue("past").tracker(tokenizer, max_length=4)
    cut = tracker.add("what a day")
    tracker.reset()
    assert tracker.add("what a" + " day" * 200) == pytest.approx(tracker_of_two_words(tracker), abs=1e-5)
    assert cut == pytest.approx(tracker_of_two_words(tracker), abs=1e-5)


def tracker_of_two_words(tracker: DialogueTracker) -> dict[str, float]:
    tracker.reset()
    return tracker.add("what a")


@pytest.mark.parametrize("text", ["", "  ", None])
def test_an_utterance_is_a_text(
    dialogue: Callable[..., DialogueForUtteranceClassification], tokenizer: PreTrainedTokenizerBase, text: str | None
) -> None:
    with pytest.raises(ValueError, match="must be a non-empty string"):
        dialogue("past").tracker(tokenizer).add(text)


def test_half_an_emoji_is_named(
    dialogue: Callable[..., DialogueForUtteranceClassification], tokenizer: PreTrainedTokenizerBase
) -> None:
    with pytest.raises(ValueError, match=r"The utterance has half of a surrogate pair, \\ud83d, at character 3"):
        dialogue("past").tracker(tokenizer).add("so \ud83d")
