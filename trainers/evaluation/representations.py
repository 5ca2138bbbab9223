"""Representations of frozen encoders: computed once, cached on disk, memory-mapped."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from modeling_csr import MultitaskModel

from .inference import inference_batch_size, tokenized_batches


def cached_representations(
    path: str | os.PathLike,
    encoder: MultitaskModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int,
    batch_size: int | None = None,
    device: torch.device | str = "cpu",
    description: str = "Encoding",
) -> np.ndarray:
    """Representations of texts in single precision, from the file `path` if it is there, else computed and written.

    The file appears only when it is whole, so a killed run leaves nothing half-written under that name. Its name must
    stand for the encoder, the tokenizer, `max_length` and the texts.

    Args:
        path (`str`): The `.npy` file.
        encoder ([`MultitaskModel`]): The encoder; run in eval mode.
        texts (`Sequence[str]`): Raw texts. They are sorted by length for speed; the result is in the given order.
        batch_size (`int`, *optional*): Texts in a batch; 32 on a CPU and 128 on a GPU without.

    Returns:
        `np.ndarray` of shape `(texts, representation_size)`, float32, memory-mapped, copy-on-write.
    """
    path = Path(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        shape = (len(texts), encoder.config.representation_size)
        output = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.float32, shape=shape)
        encoder.eval().to(device)
        batch_size = inference_batch_size(device) if batch_size is None else batch_size
        batches = tokenized_batches(
            tokenizer, texts, max_length=max_length, batch_size=batch_size, description=description
        )
        with torch.inference_mode():
            for rows, batch in batches:
                output[rows] = encoder(**batch.to(device)).representation.float().cpu().numpy()
        output.flush()
        os.replace(unfinished, path)
    # Copy-on-write: torch wants writable memory, and the file must never change.
    return np.load(path, mmap_mode="c")
