"""Scores of many texts, fast: sorted by length, so that little padding is computed."""

from collections.abc import Sequence

import numpy as np
import torch
from tqdm.auto import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase


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
    order = np.argsort([-len(text) for text in texts], kind="stable")
    with torch.inference_mode(), tqdm(total=len(texts), desc="Predicting", unit="text") as progress:
        for start in range(0, len(texts), batch_size):
            rows = order[start : start + batch_size]
            batch = tokenizer(
                [texts[row] for row in rows], truncation=True, max_length=max_length, padding=True, return_tensors="pt"
            )
            logits[rows] = model(**batch.to(device)).logits.float().cpu().numpy()
            progress.update(len(rows))
    return logits
