"""Scores of many texts: in the given order, however many are read at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BatchEncoding

from modeling_csr import MultitaskForSequenceClassification
from tests.helpers import tiny_run
from trainers.evaluation.inference import embed_texts, inference_batch_size, predict_logits
from trainers.training_arguments import StageTrainingArguments

TEXTS = [row["text"] for row in tiny_run.emotion_rows(70, seed=3)]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A model and its tokenizer."""
    encoder = str(tiny_run.write_encoder(tmp_path_factory.mktemp("encoder")))
    task = {"labels": list(tiny_run.EMOTIONS), "problem_type": "multi_label_classification"}
    torch.manual_seed(0)
    model = MultitaskForSequenceClassification.from_encoder(encoder, {"emotion": task})
    torch.nn.init.normal_(model.heads["emotion"].weight)
    return model, AutoTokenizer.from_pretrained(encoder)


@pytest.mark.parametrize("read", [predict_logits, embed_texts])
def test_batches_change_nothing(parts: tuple[Any, Any], read: Any) -> None:
    model, tokenizer = parts
    alone = np.concatenate([read(model, tokenizer, [text]) for text in TEXTS])
    assert len(np.unique(alone.round(4), axis=0)) > 30
    for batch_size in (None, 1, 7, 200):
        np.testing.assert_allclose(read(model, tokenizer, TEXTS, batch_size=batch_size), alone, atol=1e-5)


def test_cpu_reads_fewer_texts_at_once(parts: tuple[Any, Any]) -> None:
    model, tokenizer = parts
    sizes = []

    def counting(texts: list[str], **options: Any) -> BatchEncoding:
        sizes.append(len(texts))
        return tokenizer(texts, **options)

    predict_logits(model, counting, TEXTS)
    assert sizes == [32, 32, 6]
    assert inference_batch_size("cuda:1") == 128


def test_evaluation_reads_as_many(tmp_path: Path) -> None:
    device = "cuda" if torch.accelerator.is_available() else "cpu"
    arguments = StageTrainingArguments(output_dir=str(tmp_path), use_cpu=True)
    assert arguments.per_device_eval_batch_size == inference_batch_size(device)
    assert StageTrainingArguments(per_device_eval_batch_size=5, use_cpu=True).per_device_eval_batch_size == 5
