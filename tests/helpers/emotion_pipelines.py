"""Texts, and what the tests of the emotion pipeline compare its results with."""

import random
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel, pipeline

from modeling_csr import EmotionClassificationPipeline

EMOTIONS = ["anger", "fear", "joy", "love"]
SENTIMENTS = ["negative", "neutral", "positive"]
TEXTS = ["you are my best friend and I love you!", "never again, what a bad night", "so happy"]
# 130 tokens: the first window is all sun, the last one all rain.
LONG = " ".join(["sun love joy good happy"] * 13 + ["rain hate fear bad sad"] * 13)
LIMIT, SPECIAL = 64, 2
Entries = list[dict[str, Any]]


def emotions(model: PreTrainedModel, tokenizer: Any, **kwargs: Any) -> EmotionClassificationPipeline:
    classifier = pipeline("emotion-classification", model=model, tokenizer=tokenizer, device="cpu", **kwargs)
    assert type(classifier) is EmotionClassificationPipeline
    return classifier


def logits(model: PreTrainedModel, tokenizer: Any, text: str) -> torch.Tensor:
    with torch.no_grad():
        return model(**tokenizer(text, return_tensors="pt")).logits[0]


def by_label(entries: Entries) -> dict[str, float]:
    assert [entry["score"] for entry in entries] == sorted((entry["score"] for entry in entries), reverse=True)
    assert all(set(entry) == {"label", "score"} for entry in entries)
    return {entry["label"]: entry["score"] for entry in entries}


def approx(labels: list[str], values: torch.Tensor) -> Any:
    return pytest.approx(dict(zip(labels, values.tolist(), strict=True)), abs=1e-6)


def close(found: Any, expected: Any) -> None:
    """Results of the pipeline that differ by rounding at most."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert by_label(one) == pytest.approx(by_label(other), abs=1e-5)


def mixed(number: int = 33) -> list[str]:
    """Short and long texts, in windows and not."""
    chosen, words = random.Random(3), LONG.split()
    return [" ".join(chosen.choices(words, k=chosen.choice([1, 3, 9, 40, 62, 63, 130]))) for _ in range(number)]


def windows(tokenizer: Any, text: str, limit: int, stride: int) -> tuple[list[dict[str, torch.Tensor]], torch.Tensor]:
    """The windows of a text cut by hand, and what share of the weights each has."""
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    size, cut = limit - SPECIAL, []
    for start in range(0, len(ids), size - stride):
        cut.append(ids[start : start + size])
        if start + size >= len(ids):
            break
    batches = [torch.tensor([[tokenizer.cls_token_id, *part, tokenizer.sep_token_id]]) for part in cut]
    lengths = torch.tensor([float(len(part)) for part in cut])
    return [{"input_ids": ids, "attention_mask": torch.ones_like(ids)} for ids in batches], lengths / lengths.sum()
