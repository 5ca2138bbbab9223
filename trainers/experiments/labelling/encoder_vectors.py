"""Vectors of texts by a frozen encoder."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import AutoModel

from modeling_csr import MultitaskConfig, MultitaskModel, readable_positions

from ...data import load_tokenizer
from ...evaluation import embed_texts

# Longer texts are cut, whatever the encoder can read: a mean over more tokens says little of any of them.
_LONGEST = 512


def encoder_vectors(encoder: str, texts: Sequence[str]) -> np.ndarray:
    """The mean of each text's token states, as models of this project start from.

    Args:
        encoder (`str`): Folder or Hub id of an `AutoModel` text encoder.
        texts (`Sequence[str]`): Raw texts.

    Returns:
        `np.ndarray` of shape `(texts, hidden_size)`, float32.

    Raises:
        OSError: If there is no such encoder.
    """
    try:
        base = AutoModel.from_pretrained(encoder)
    except OSError as error:
        raise OSError(f"--encoder {encoder} could not be loaded: {error}") from error
    model = MultitaskModel(MultitaskConfig(encoder=base.config))
    model.set_encoder(base)
    length = int(min(readable_positions(model), _LONGEST))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return embed_texts(model, load_tokenizer(encoder, max_length=length), texts, max_length=length, device=device)


__all__ = ["encoder_vectors"]
