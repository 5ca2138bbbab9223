"""Self-training: what trained models say of texts becomes the target of a new one."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit, logit
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerBase

from ..evaluation.inference import predict_logits, probabilities
from ..loop.encoders import fast_attention


def teacher_probabilities(
    path: str | os.PathLike,
    teachers: Sequence[str | os.PathLike],
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int,
    half_precision: bool,
    temperature: float | None = None,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """The mean of several classifiers' probabilities, from the file `path` if it is there, else computed and written.

    Args:
        path (`str`): The `.npy` file; its name must stand for the teachers and the texts.
        teachers (`Sequence[str]`): Folders (or Hub ids) of classifiers with the same labels.
        tokenizer (`PreTrainedTokenizerBase`): Their tokenizer.
        texts (`Sequence[str]`): Raw texts.
        half_precision (`bool`): Whether to compute in bf16.
        temperature (`float`, *optional*): That of [`sharpen`]; without, the probabilities are taken as they are.

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
            if temperature is None:
                said = probabilities(logits, model.config.problem_type)
            else:
                said = sharpen(logits, model.config.thresholds, temperature)
            total = total + said / len(teachers)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with open(unfinished, "wb") as file:
            np.save(file, total)
        os.replace(unfinished, path)
    return np.load(path)


def sharpen(logits: np.ndarray, thresholds: Sequence[float] | None, temperature: float) -> np.ndarray:
    """What a multi-label teacher decides, and how surely: 0.5 where it is at its threshold.

    Teachers are seldom sure of rare labels. Whoever learns their probabilities comes to be even less so, and under one
    threshold for all labels says them no more.

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): The teacher's.
        thresholds (`Sequence[float]`, *optional*): Its decision thresholds, one a label; 0.5 where absent.
        temperature (`float`): Below 1 it makes the teacher surer, above 1 less sure.
    """
    at_threshold = 0.0 if thresholds is None else logit(np.asarray(thresholds))
    return expit((logits - at_threshold) / temperature).astype(np.float32)


def soften(labels: np.ndarray, probabilities: np.ndarray, share: float) -> np.ndarray:
    """Targets between labels and a teacher's probabilities (knowledge distillation; Hinton et al., 2015).

    Args:
        labels (`np.ndarray` of shape `(texts, num_labels)`): 0 or 1.
        probabilities (`np.ndarray` of shape `(texts, num_labels)`): The teacher's.
        share (`float`): Of the teacher, 0 to 1.
    """
    return ((1 - share) * labels + share * probabilities).astype(np.float32)
