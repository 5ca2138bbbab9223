"""The emotion pipeline on many texts: how it batches them, and that nobody can tell from the results."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2ForSequenceClassification, pipeline
from transformers.pipelines.pt_utils import KeyDataset

from modeling_csr import pipeline_emotion
from tests.helpers import emotion_pipelines as tools

TEXTS, by_label, emotions = tools.TEXTS, tools.by_label, tools.emotions
Factory = Callable[..., Any]


@pytest.fixture
def model(csr: Factory) -> Any:
    return csr()


@pytest.fixture
def batches(model: Any) -> list[torch.Tensor]:
    """The attention masks of the batches that the model has read so far."""
    return watched(model)


def watched(model: Any) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    model.register_forward_pre_hook(
        lambda module, args, kwargs: found.append(kwargs["attention_mask"]), with_kwargs=True
    )
    return found


def same(found: list[Any], expected: list[Any]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert by_label(one) == pytest.approx(by_label(other), abs=1e-6, rel=0)


def counted(read: list[str], texts: list[str]) -> Iterator[str]:
    for text in texts:
        read.append(text)
        yield text


# --- lists


def test_texts_of_like_length_share_a_batch(
    model: Any, tokenizer: Any, batches: list[torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_emotion, "CPU_TOKENS", 100)
    texts = tools.mixed(200)
    emotions(model, tokenizer)(texts)
    widths = [mask.shape[1] for mask in batches]
    assert widths == sorted(widths, reverse=True)
    assert all(mask.numel() <= 100 for mask in batches)
    tokens = sum(int(mask.sum()) for mask in batches)
    assert sum(mask.numel() for mask in batches) < 1.1 * tokens
    assert len(batches) < 1.6 * tokens / 100  # windows of 64 tokens have one each


def test_results_are_in_order_however_texts_are_batched(model: Any, tokenizer: Any, monkeypatch: Any) -> None:
    classifier, texts = emotions(model, tokenizer, top_k=None), tools.mixed()
    alone = [classifier(text, batch_size=1) for text in texts]
    assert classifier(texts, batch_size=1) == alone  # bit for bit
    same([classifier(text) for text in texts], alone)
    shuffled = random.Random(5).sample(range(len(texts)), len(texts))
    same(classifier([texts[row] for row in shuffled]), [alone[row] for row in shuffled])
    for tokens, part in ((64, 4096), (1000, 7), (10**6, 1)):
        monkeypatch.setattr(pipeline_emotion, "CPU_TOKENS", tokens)
        monkeypatch.setattr(pipeline_emotion, "PART", part)
        same(classifier(texts), alone)
    assert classifier(texts) == classifier(texts)


def test_batch_size_counts_texts(model: Any, tokenizer: Any, batches: list[torch.Tensor]) -> None:
    classifier = emotions(model, tokenizer, batch_size=4)
    classifier(TEXTS * 3)
    classifier(TEXTS, batch_size=2, num_workers=2)
    assert [len(mask) for mask in batches] == [4, 4, 1, 2, 1]
    for size in (0, True, "8"):
        with pytest.raises(ValueError, match="batch_size must be a positive integer, got"):
            classifier(TEXTS, batch_size=size)


def test_texts_are_tokenized_together(model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    plain = type(tokenizer)._encode_plus
    monkeypatch.setattr(
        type(tokenizer),
        "_encode_plus",
        lambda self, text, *args, **kw: calls.append(text) or plain(self, text, *args, **kw),
    )
    emotions(model, tokenizer)([*TEXTS, *TEXTS])
    assert calls == [[*TEXTS, *TEXTS]]


def test_faults_in_a_list_are_found_before_any_work(model: Any, tokenizer: Any, batches: list[torch.Tensor]) -> None:
    with pytest.raises(ValueError, match=r"inputs\[300\] is empty"):
        emotions(model, tokenizer)([*TEXTS * 100, ""])
    assert batches == []


@pytest.mark.parametrize("problem_type", ["multi_label_classification", "single_label_classification"])
def test_many_texts_have_the_scores_of_the_stock_pipeline(csr: Factory, tokenizer: Any, problem_type: str) -> None:
    model, texts = csr(problem_type=problem_type), tools.mixed()
    stock = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None)
    same(emotions(model, tokenizer)(texts, top_k=None, truncation=True), stock(texts, truncation=True))


# --- streams


def test_generators_are_read_in_growing_parts(model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_emotion, "FIRST_PART", 2)
    monkeypatch.setattr(pipeline_emotion, "PART", 8)
    classifier, texts, read = emotions(model, tokenizer, top_k=None), tools.mixed(), []
    found = classifier(counted(read, texts))
    assert read == []
    results, lengths = [], []
    for result in found:
        results.append(result)
        lengths.append(len(read))
    assert sorted(set(lengths)) == [2, 6, 14, 22, 30, 33]
    assert all(behind - done < 8 for done, behind in enumerate(lengths, start=1))
    same(results, classifier(texts))


def test_one_text_at_a_time_for_those_who_wait(model: Any, tokenizer: Any) -> None:
    classifier, read = emotions(model, tokenizer), []
    found = classifier(counted(read, TEXTS), batch_size=1)
    for number, result in enumerate(found, start=1):
        assert len(read) == number
        assert result == classifier(TEXTS[number - 1])


def test_what_comes_before_a_fault_is_yielded(model: Any, tokenizer: Any) -> None:
    found = iter(emotions(model, tokenizer)(text for text in [*TEXTS, None, *TEXTS]))
    assert len([next(found) for _ in TEXTS]) == 3
    with pytest.raises(ValueError, match=r"inputs\[3\] must be a string, got NoneType"):
        next(found)

    def broken() -> Iterator[str]:
        yield TEXTS[0]
        raise OSError("the connection is gone")

    found = iter(emotions(model, tokenizer)(broken()))
    next(found)
    with pytest.raises(OSError, match="the connection is gone"):
        next(found)


def test_results_of_a_dataset_can_be_read_again(model: Any, tokenizer: Any) -> None:
    found = emotions(model, tokenizer)(KeyDataset(Dataset.from_dict({"text": TEXTS}), "text"))
    first = next(found)
    assert list(found) == list(found)
    assert next(iter(found)) == first


# --- models and tokenizers that do not go with padding


@pytest.mark.parametrize(
    "change", [{"padding_side": "left"}, {"pad_token": None}, {"model_input_names": ["input_ids"]}]
)
def test_without_padding_on_the_right_lengths_are_not_mixed(tokenizer: Any, change: dict[str, Any]) -> None:
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=4,
    )
    model = BertForSequenceClassification(config).eval()
    texts = tools.mixed()
    expected = [emotions(model, tokenizer, top_k=None)(text) for text in texts]
    for name, value in change.items():
        setattr(tokenizer, name, value)
    shapes = []
    model.register_forward_pre_hook(lambda _, __, kw: shapes.append(kw["input_ids"].shape), with_kwargs=True)
    same(emotions(model, tokenizer, top_k=None)(texts), expected)
    assert len(shapes) < len(texts)


def test_decoders_without_a_padding_token_read_text_by_text(tokenizer: Any) -> None:
    torch.manual_seed(1)
    model = GPT2ForSequenceClassification(
        GPT2Config(vocab_size=len(tokenizer), n_positions=64, n_embd=16, n_layer=1, n_head=2, num_labels=4)
    ).eval()
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    classifier = emotions(model, tokenizer, top_k=None)
    assert classifier(TEXTS) == [classifier(text) for text in TEXTS]
