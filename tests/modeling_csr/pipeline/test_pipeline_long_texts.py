"""The emotion pipeline on long texts, in windows, and the embeddings that it returns."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.helpers import emotion_pipelines as tools

EMOTIONS, SENTIMENTS, TEXTS, LONG = tools.EMOTIONS, tools.SENTIMENTS, tools.TEXTS, tools.LONG
LIMIT, SPECIAL = tools.LIMIT, tools.SPECIAL
emotions, logits, by_label, approx, windows = tools.emotions, tools.logits, tools.by_label, tools.approx, tools.windows
Factory = Callable[..., Any]


# --- long texts


@pytest.mark.parametrize("stride", [None, 0, 20])
def test_multi_label_scores_of_long_texts_are_the_highest_of_any_window(
    csr: Factory, tokenizer: Any, stride: int | None
) -> None:
    model = csr()
    batches, _ = windows(tokenizer, LONG, LIMIT, 15 if stride is None else stride)
    assert len(batches) == 3
    with torch.no_grad():
        # One label's score is high where the other's is low.
        for parameter in model.classifier.parameters():
            parameter[1] = -parameter[0]
        scores = torch.cat([model(**batch).logits for batch in batches]).sigmoid()
    assert scores.argmax(0).unique().numel() > 1  # no window has all of the maxima
    found = emotions(model, tokenizer, stride=stride)(LONG, top_k=None)
    assert by_label(found) == approx(EMOTIONS, scores.amax(0))


def test_single_label_scores_of_long_texts_are_weighted_means(stock: Factory, tokenizer: Any) -> None:
    model = stock()
    batches, weights = windows(tokenizer, LONG, LIMIT, 15)
    assert weights.tolist() == pytest.approx([62 / 160, 62 / 160, 36 / 160])
    with torch.no_grad():
        scores = torch.cat([model(**batch).logits for batch in batches]).softmax(-1)
    found = by_label(emotions(model, tokenizer)(LONG, top_k=None))
    assert found == approx(SENTIMENTS, weights @ scores)
    assert sum(found.values()) == pytest.approx(1)


def test_a_text_that_just_fits_is_one_window(csr: Factory, tokenizer: Any) -> None:
    model = csr()
    classifier = emotions(model, tokenizer, top_k=None)
    fits = " ".join(LONG.split()[: LIMIT - SPECIAL])
    assert by_label(classifier(fits)) == dict(
        zip(EMOTIONS, logits(model, tokenizer, fits).sigmoid().tolist(), strict=True)
    )
    batches, _ = windows(tokenizer, f"{fits} rain", LIMIT, 15)
    assert [batch["input_ids"].shape[1] for batch in batches] == [64, 18]
    with torch.no_grad():
        expected = torch.cat([model(**batch).logits for batch in batches]).sigmoid().amax(0)
    assert by_label(classifier(f"{fits} rain")) == approx(EMOTIONS, expected)


@pytest.mark.parametrize(("model_type", "limit"), [("bert", 66), ("roberta", 64), ("mpnet", 64), ("modernbert", 66)])
def test_windows_are_bounded_by_every_encoder(csr: Factory, tokenizer: Any, model_type: str, limit: int) -> None:
    """RoBERTa and MPNet leave two of their 66 positions unused, the padding's and the one before it; ModernBERT has no
    table of positions, only a number in its config."""
    model = csr("modernbert", sources=(model_type,))
    tokenizer.model_max_length = int(1e30)
    with torch.no_grad():
        batches, _ = windows(tokenizer, LONG, limit, (limit - SPECIAL) // 4)
        expected = torch.cat([model(**batch).logits for batch in batches]).sigmoid().amax(0)
    assert by_label(emotions(model, tokenizer)(LONG, top_k=None)) == approx(EMOTIONS, expected)


def test_the_tokenizer_may_set_shorter_windows(csr: Factory, tokenizer: Any) -> None:
    model = csr()
    tokenizer.model_max_length = 34
    batches, _ = windows(tokenizer, LONG, 34, 8)
    assert len(batches) == 6
    with torch.no_grad():
        expected = torch.cat([model(**batch).logits for batch in batches]).sigmoid().amax(0)
    assert by_label(emotions(model, tokenizer)(LONG, top_k=None)) == approx(EMOTIONS, expected)


# --- embeddings


def test_embeddings_are_the_common_space(csr: Factory, tokenizer: Any) -> None:
    for model in (csr(), csr(common_level="token")):
        classifier = emotions(model, tokenizer)
        for text in TEXTS:
            found = classifier(text, return_embeddings=True)
            assert set(found) == {"labels", "embedding"}
            assert found["labels"] == classifier(text)
            with torch.no_grad():
                expected = model.csr(**tokenizer(text, return_tensors="pt")).common_space[0]
            assert found["embedding"] == expected.tolist()


@pytest.mark.parametrize("representation", ["pooled", "shared"])
def test_embeddings_of_multitask_models_are_their_representation(
    multitask: Factory, tokenizer: Any, representation: str
) -> None:
    model = multitask(shared_layer_sizes=[8], representation=representation)
    found = emotions(model, tokenizer, return_embeddings=True)(TEXTS, batch_size=1)
    for text, result in zip(TEXTS, found, strict=True):
        with torch.no_grad():
            expected = model.multitask(**tokenizer(text, return_tensors="pt")).representation[0]
        assert result["embedding"] == expected.tolist()


def test_embeddings_of_long_texts_are_weighted_means(csr: Factory, tokenizer: Any) -> None:
    model = csr()
    batches, weights = windows(tokenizer, LONG, LIMIT, 15)
    with torch.no_grad():
        expected = weights @ torch.cat([model.csr(**batch).common_space for batch in batches])
    found = emotions(model, tokenizer)(LONG, return_embeddings=True)
    torch.testing.assert_close(torch.tensor(found["embedding"]), expected)
