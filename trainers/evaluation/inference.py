"""Scores of many texts, fast: sorted by length, so that little padding is computed."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import ModelOutput

# What the families call the vector of a text.
EMBEDDINGS = ("common_space", "embeddings", "representation")


def inference_batch_size(device: torch.device | str) -> int:
    """Texts in a batch where nobody says how many: on a CPU fewer, whose caches the states of many outgrow."""
    return 32 if torch.device(device).type == "cpu" else 128


def tokenized_batches(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, max_length: int, batch_size: int, description: str
) -> Iterator[tuple[np.ndarray, BatchEncoding]]:
    """Batches of texts from long to short, with a progress bar.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): The tokenizer.
        texts (`Sequence[str]`): Raw texts; those longer than `max_length` tokens are cut.
        batch_size (`int`): Texts in a batch.
        description (`str`): What the progress bar says.

    Yields:
        `tuple`: The row numbers of a batch's texts, and the batch as PyTorch tensors.
    """
    order = np.argsort([-len(text) for text in texts], kind="stable")
    with tqdm(total=len(texts), desc=description, unit="text") as progress:
        for start in range(0, len(texts), batch_size):
            rows = order[start : start + batch_size]
            yield (
                rows,
                tokenizer(
                    [texts[row] for row in rows],
                    truncation=True,
                    max_length=max_length,
                    padding=True,
                    return_tensors="pt",
                ),
            )
            progress.update(len(rows))


def predict_logits(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int = 128,
    batch_size: int | None = None,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Unnormalised scores of raw texts, in their order.

    Args:
        model (`PreTrainedModel`): Any sequence classifier; run in eval mode.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        texts (`Sequence[str]`): Raw texts; those longer than `max_length` tokens are cut.
        batch_size (`int`, *optional*): Texts in a batch; 32 on a CPU and 128 on a GPU without.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32.
    """
    logits = np.empty((len(texts), model.config.num_labels), dtype=np.float32)
    options: dict[str, Any] = {"max_length": max_length, "batch_size": batch_size, "description": "Predicting"}
    for rows, output in _outputs(model, tokenizer, texts, device, **options):
        logits[rows] = output.logits.float().cpu().numpy()
    return logits


def probabilities(logits: np.ndarray, problem_type: str | None) -> np.ndarray:
    """What unnormalised scores say: probabilities, and of a regression the scores themselves.

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): As [`predict_logits`] gives them.
        problem_type (`str`, *optional*): The model's `config.problem_type`; without it each label is taken by itself.
    """
    if problem_type == "regression":
        return logits
    scores = torch.from_numpy(logits)
    return (scores.softmax(-1) if problem_type == "single_label_classification" else scores.sigmoid()).numpy()


def embed_texts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int = 128,
    batch_size: int | None = None,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """The vectors that a model of this project has for texts: common space, Siamese embedding or representation.

    Args:
        model (`PreTrainedModel`): A model of one of the project's families; run in eval mode.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        texts (`Sequence[str]`): Raw texts; those longer than `max_length` tokens are cut.
        batch_size (`int`, *optional*): Texts in a batch; 32 on a CPU and 128 on a GPU without.

    Returns:
        `np.ndarray` of shape `(texts, size)`, float32.
    """
    vectors: list[np.ndarray | None] = [None] * len(texts)
    options: dict[str, Any] = {"max_length": max_length, "batch_size": batch_size, "description": "Embedding"}
    for rows, output in _outputs(model, tokenizer, texts, device, **options):
        found = next(output[name] for name in EMBEDDINGS if output.get(name) is not None)
        for row, vector in zip(rows, found.float().cpu().numpy(), strict=True):
            vectors[row] = vector
    return np.stack(vectors)


@torch.inference_mode()
def _outputs(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    device: torch.device | str,
    *,
    batch_size: int | None,
    **options: Any,
) -> Iterator[tuple[np.ndarray, ModelOutput]]:
    model = model.to(device).eval()
    batch_size = batch_size or inference_batch_size(device)
    for rows, batch in tokenized_batches(tokenizer, texts, batch_size=batch_size, **options):
        yield rows, model(**batch.to(device))
