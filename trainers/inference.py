"""Scores of many texts, fast: sorted by length, so that little padding is computed."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from tqdm.auto import tqdm
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase


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
    batch_size: int = 128,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Unnormalised scores of raw texts, in their order.

    Args:
        model (`PreTrainedModel`): Any sequence classifier; run in eval mode.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        texts (`Sequence[str]`): Raw texts; those longer than `max_length` tokens are cut.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32.
    """
    model = model.to(device).eval()
    logits = np.empty((len(texts), model.config.num_labels), dtype=np.float32)
    batches = tokenized_batches(
        tokenizer, texts, max_length=max_length, batch_size=batch_size, description="Predicting"
    )
    with torch.inference_mode():
        for rows, batch in batches:
            logits[rows] = model(**batch.to(device)).logits.float().cpu().numpy()
    return logits
