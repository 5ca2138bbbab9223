"""Self-training: what trained models say of texts becomes the target of a new one."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerBase

from .encoders import fast_attention
from .inference import predict_logits, probabilities


def teacher_probabilities(
    path: str | os.PathLike,
    teachers: Sequence[str | os.PathLike],
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int,
    half_precision: bool,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """The mean of several classifiers' probabilities, from the file `path` if it is there, else computed and written.

    Args:
        path (`str`): The `.npy` file; its name must stand for the teachers and the texts.
        teachers (`Sequence[str]`): Folders (or Hub ids) of classifiers with the same labels.
        tokenizer (`PreTrainedTokenizerBase`): Their tokenizer.
        texts (`Sequence[str]`): Raw texts.
        half_precision (`bool`): Whether to compute in bf16.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32, between 0 and 1.
    """
    path = Path(path)
    if not path.exists():
        total: np.ndarray | float = 0.0
        for folder in teachers:
            dtype = torch.bfloat16 if half_precision else torch.float32
            model = AutoModelForSequenceClassification.from_pretrained(
                folder, dtype=dtype, attn_implementation=fast_attention(device)
            )
            logits = predict_logits(model, tokenizer, texts, max_length=max_length, device=device)
            total = total + probabilities(logits, model.config.problem_type) / len(teachers)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with open(unfinished, "wb") as file:
            np.save(file, total)
        os.replace(unfinished, path)
    return np.load(path)


def soften(labels: np.ndarray, probabilities: np.ndarray, share: float) -> np.ndarray:
    """Targets between labels and a teacher's probabilities (knowledge distillation; Hinton et al., 2015).

    Args:
        labels (`np.ndarray` of shape `(texts, num_labels)`): 0 or 1.
        probabilities (`np.ndarray` of shape `(texts, num_labels)`): The teacher's.
        share (`float`): Of the teacher, 0 to 1.
    """
    return ((1 - share) * labels + share * probabilities).astype(np.float32)
