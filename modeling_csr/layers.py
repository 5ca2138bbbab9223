"""Layers of the common space."""

import torch
from torch import nn

from .configuration_csr import CSRConfig


def feed_forward(input_size: int, hidden_size: int, output_size: int, dropout: float = 0.0) -> nn.Sequential:
    """A feed-forward network with one hidden layer and GELU."""
    return nn.Sequential(
        nn.Linear(input_size, hidden_size), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden_size, output_size)
    )


class SiameseNetwork(nn.Module):
    """S(u, v) = ‖g(u) − g(v)‖ with a learned projection g (the paper's Siamese network on P_E).

    Args:
        config ([`CSRConfig`]): The configuration.
    """

    def __init__(self, config: CSRConfig) -> None:
        super().__init__()
        size = config.emotion_encoder.representation_size
        self.projection = feed_forward(size, size, config.siamese_size)

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Distances `(batch,)` between two batches of shape `(batch, size)`; symmetric and never negative."""
        first, second = self.projection(torch.stack([first, second]))
        return self.distance(first, second)

    @staticmethod
    def distance(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Euclidean distance along the last dimension, with a finite gradient where the inputs are equal."""
        return ((first - second).float().square().sum(dim=-1) + 1e-12).sqrt()


class LabelAttention(nn.Module):
    """Classifies token states with one attention head per label (CAML; Mullenbach et al., 2018, section 2.2).

    Args:
        size (`int`): Width of the token states.
        num_labels (`int`): Number of labels.
    """

    def __init__(self, size: int, num_labels: int) -> None:
        super().__init__()
        self.query = nn.Linear(size, num_labels, bias=False)
        self.output = nn.Linear(size, num_labels)

    def forward(self, states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, num_labels)` from token states `(batch, sequence, size)`; padding is ignored."""
        scores = self.query(states).float().masked_fill(attention_mask.unsqueeze(-1) == 0, float("-inf"))
        # The output is linear in the states, so applying it before the weighted mean gives the same result.
        return (scores.softmax(dim=1) * self.output(states).float()).sum(dim=1)
