"""Representations of frozen encoders, written to a file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from modeling_csr import MultitaskModel

from .inference import inference_batch_size, tokenized_batches


def write_representations(
    path: Path,
    encoder: MultitaskModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int,
    batch_size: int | None = None,
    device: torch.device | str = "cpu",
    description: str = "Encoding",
) -> None:
    """Write representations of texts as an array `(texts, representation_size)` in single precision.

    Args:
        path (`Path`): The `.npy` file.
        encoder ([`MultitaskModel`]): The encoder; run in eval mode.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        texts (`Sequence[str]`): Raw texts. They are sorted by length for speed; the rows are in the given order.
        max_length (`int`): Longer texts are cut to this number of tokens.
        batch_size (`int`, *optional*): Texts in a batch; 32 on a CPU and 128 on a GPU without.
        device (`torch.device` or `str`, defaults to `"cpu"`): Where the encoder runs.
        description (`str`): Label of the progress bar.
    """
    shape = (len(texts), encoder.config.representation_size)
    output = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    encoder.eval().to(device)
    batch_size = inference_batch_size(device) if batch_size is None else batch_size
    batches = tokenized_batches(tokenizer, texts, max_length=max_length, batch_size=batch_size, description=description)
    with torch.inference_mode():
        for rows, batch in batches:
            output[rows] = encoder(**batch.to(device)).representation.float().cpu().numpy()
    output.flush()
