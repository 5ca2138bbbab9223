"""Predictions and vectors of many texts, sorted by length so that little padding is computed."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import ModelOutput

# What the model families call the vector of a text.
EMBEDDINGS = ("common_space", "embeddings", "representation")


def inference_batch_size(device: torch.device | str) -> int:
    """Default batch size on a device: smaller on a CPU, whose caches cannot hold the states of many texts."""
    return 32 if torch.device(device).type == "cpu" else 128


def tokenized_batches(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, max_length: int, batch_size: int, description: str
) -> Iterator[tuple[np.ndarray, BatchEncoding]]:
    """Tokenise texts in batches, longest texts first, with a progress bar.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): The tokenizer.
        texts (`Sequence[str]`): Raw texts.
        max_length (`int`): Longer texts are cut to this number of tokens.
        batch_size (`int`): Texts per batch.
        description (`str`): Label of the progress bar.

    Raises:
        ValueError: If `batch_size` or `max_length` is out of range.

    Yields:
        `tuple`: The row numbers of the batch's texts, and the batch as PyTorch tensors.
    """
    for name, value in (("batch_size", batch_size), ("max_length", max_length)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}.")
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
    """Compute the logits of raw texts, in their order.

    Args:
        model (`PreTrainedModel`): Any sequence classifier; it is put into eval mode.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        texts (`Sequence[str]`): Raw texts.
        max_length (`int`, defaults to 128): Longer texts are cut to this number of tokens.
        batch_size (`int`, *optional*): Texts per batch. Defaults to 32 on a CPU and 128 on a GPU.
        device (`torch.device` or `str`, defaults to `"cpu"`): Where the model runs; it stays there.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32.

    Raises:
        ValueError: If `batch_size` or `max_length` is out of range.
    """
    config: Any = model.config
    # A row without scores would be seen at once.
    logits = np.full((len(texts), config.num_labels), np.nan, dtype=np.float32)
    options: dict[str, Any] = {"max_length": max_length, "batch_size": batch_size, "description": "Predicting"}
    for rows, output in _outputs(model, tokenizer, texts, device, **options):
        logits[rows] = output["logits"].float().cpu().numpy()
    return logits


def probabilities(logits: np.ndarray, problem_type: str | None) -> np.ndarray:
    """Turn logits into probabilities; the scores of a regression stay as they are.

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): As [`predict_logits`] returns them.
        problem_type (`str`, *optional*): The model's `config.problem_type`; without it, labels are independent.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`.
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
    """Compute the vectors of texts: the common space, the Siamese embedding or the representation, as the model has it.

    Args:
        model (`PreTrainedModel`): A model of one of the project's families, but not a dialogue model; it is put into
            eval mode.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        texts (`Sequence[str]`): Raw texts.
        max_length (`int`, defaults to 128): Longer texts are cut to this number of tokens.
        batch_size (`int`, *optional*): Texts per batch. Defaults to 32 on a CPU and 128 on a GPU.
        device (`torch.device` or `str`, defaults to `"cpu"`): Where the model runs; it stays there.

    Returns:
        `np.ndarray` of shape `(texts, size)`, float32.
    """
    vectors: dict[int, np.ndarray] = {}
    options: dict[str, Any] = {"max_length": max_length, "batch_size": batch_size, "description": "Embedding"}
    for rows, output in _outputs(model, tokenizer, texts, device, **options):
        found = next(output[name] for name in EMBEDDINGS if output.get(name) is not None)
        vectors.update(zip(rows.tolist(), found.float().cpu().numpy(), strict=True))
    return np.stack([vectors[row] for row in range(len(texts))])


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
    module: nn.Module = model
    module.to(device).eval()
    batch_size = inference_batch_size(device) if batch_size is None else batch_size
    for rows, batch in tokenized_batches(tokenizer, texts, batch_size=batch_size, **options):
        yield rows, model(**batch.to(device))
