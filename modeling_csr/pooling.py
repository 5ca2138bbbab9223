"""Pooling of token states into one vector per text."""

from typing import Any

import torch
from torch import nn

POOLING_MODES = ("mean", "cls", "max")


def pool(last_hidden_state: torch.Tensor, attention_mask: torch.Tensor, mode: str) -> torch.Tensor:
    """Pool the token states of each text. Padding never affects the result.

    Args:
        last_hidden_state (`torch.FloatTensor` of shape `(batch, sequence, hidden)`): Token states.
        attention_mask (`torch.LongTensor` of shape `(batch, sequence)`): 1 for tokens, 0 for padding.
        mode (`str`): `"mean"`, the mean over the tokens; `"cls"`, the state of the first token; or `"max"`, the
            maximum of each feature over the tokens.

    Returns:
        `torch.FloatTensor` of shape `(batch, hidden)`.

    Raises:
        ValueError: If `mode` is not one of these.
    """
    if mode == "cls":
        # With left padding the first token is not in column 0.
        first = attention_mask.long().argmax(dim=1)
        return last_hidden_state[torch.arange(len(first), device=first.device), first]
    if mode == "mean":
        mask = attention_mask.unsqueeze(-1).to(last_hidden_state.dtype)
        return (last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
    if mode == "max":
        mask = attention_mask.unsqueeze(-1).bool()
        highest = last_hidden_state.masked_fill(~mask, torch.finfo(last_hidden_state.dtype).min).amax(dim=1)
        return torch.where(mask.any(dim=1), highest, 0)
    raise ValueError(f"pooling must be one of {', '.join(POOLING_MODES)}, got {mode!r}.")


class Unpooled(nn.Module):
    """In place of an encoder's own pooler, which is not used here: it returns its first argument."""

    def forward(self, last_hidden_state: torch.Tensor, *_: Any) -> torch.Tensor:
        return last_hidden_state
