"""Layers of the `dialogue` family: speaker features, and recurrence and attention over utterances."""

from typing import Any

import torch
from torch import nn

from .configuration_dialogue import DialogueConfig


def number_speakers(speaker_ids: torch.Tensor) -> torch.Tensor:
    """Number the speakers of each dialogue in the order in which they first speak.

    Args:
        speaker_ids (`torch.LongTensor` of shape `(batch, utterances)`): Arbitrary ids, equal for the same speaker.

    Returns:
        `torch.LongTensor` of the same shape: 0 for the first speaker, 1 for the second, and so on.
    """
    same = speaker_ids.unsqueeze(2) == speaker_ids.unsqueeze(1)
    # argmax returns the first of equal values: where the speaker of each utterance first speaks.
    first = same.long().argmax(dim=2)
    places = torch.arange(speaker_ids.shape[1], device=speaker_ids.device)
    return ((first == places).long().cumsum(dim=1) - 1).gather(1, first)


class SpeakerFeatures(nn.Module):
    """Embeddings added to each utterance: the number of its speaker, and whether the speaker stays the same.

    Args:
        config ([`DialogueConfig`]): The configuration.
    """

    def __init__(self, config: DialogueConfig) -> None:
        super().__init__()
        self.number = nn.Embedding(config.max_speakers, config.dialogue_size)
        self.goes_on = nn.Embedding(2, config.dialogue_size)

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Map speaker numbers `(batch, utterances)` to features `(batch, utterances, dialogue_size)`."""
        goes_on = torch.zeros_like(numbers)
        goes_on[:, 1:] = (numbers[:, 1:] == numbers[:, :-1]).long()
        return self.number(numbers.clamp(max=self.number.num_embeddings - 1)) + self.goes_on(goes_on)


class DialogueAttention(nn.Module):
    """Multi-head attention over utterances (Vaswani et al., 2017, section 3.2.2) in which each head learns a bias for
    the distance between two utterances and for having the same speaker.

    Args:
        config ([`DialogueConfig`]): The configuration.
    """

    def __init__(self, config: DialogueConfig) -> None:
        super().__init__()
        size, self.heads = config.dialogue_size, config.num_attention_heads
        self.query, self.key, self.value, self.output = (nn.Linear(size, size) for _ in range(4))
        self.max_distance = config.max_distance
        self.distance_bias = nn.Embedding(2 * config.max_distance + 1, self.heads)
        self.speaker_bias = nn.Embedding(2, self.heads)
        self.dropout = nn.Dropout(config.classifier_dropout)

    def _by_head(self, states: torch.Tensor) -> torch.Tensor:
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(
        self, queries: torch.Tensor, states: torch.Tensor, numbers: torch.Tensor, allowed: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """
        Args:
            queries (`torch.FloatTensor` of shape `(batch, queries, size)`): The most recent utterances.
            states (`torch.FloatTensor` of shape `(batch, utterances, size)`): All utterances.
            numbers (`torch.LongTensor` of shape `(batch, utterances)`): Speaker numbers.
            allowed (`torch.BoolTensor` of shape `(batch, queries, utterances)`): Which utterances may be attended to.

        Returns:
            `tuple`: The output, `(batch, queries, size)`, and the attention weights, `(batch, heads, queries,
            utterances)`.
        """
        query, key, value = self.query(queries), self.key(states), self.value(states)
        query, key, value = self._by_head(query), self._by_head(key), self._by_head(value)
        places = torch.arange(states.shape[1], device=states.device)
        distances = places[-queries.shape[1] :, None] - places[None]
        distances = distances.clamp(-self.max_distance, self.max_distance) + self.max_distance
        same = numbers[:, -queries.shape[1] :, None] == numbers[:, None]
        bias = self.distance_bias(distances) + self.speaker_bias(same.long())
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5 + bias.permute(0, 3, 1, 2)
        weights = scores.float().masked_fill(~allowed.unsqueeze(1), float("-inf")).softmax(dim=-1).to(value.dtype)
        read = (self.dropout(weights) @ value).transpose(1, 2).flatten(2)
        return self.output(read), weights


class AttentionPooling(nn.Module):
    """Weighted mean of the allowed utterances; the score of an utterance does not depend on the query.

    Args:
        config ([`DialogueConfig`]): The configuration.
    """

    def __init__(self, config: DialogueConfig) -> None:
        super().__init__()
        self.projection = nn.Linear(config.dialogue_size, config.dialogue_size)
        self.score = nn.Linear(config.dialogue_size, 1, bias=False)

    def forward(self, states: torch.Tensor, allowed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return means `(batch, queries, size)` and weights `(batch, queries, utterances)`.

        `states` and `allowed` are those of [`DialogueAttention`].
        """
        scores = self.score(torch.tanh(self.projection(states))).transpose(1, 2).float()
        weights = scores.expand(allowed.shape).masked_fill(~allowed, float("-inf")).softmax(dim=-1).to(states.dtype)
        return weights @ states, weights


class UtteranceLSTM(nn.LSTM):
    """LSTM over the utterances of padded dialogues; bidirectional if the context is `"full"`.

    Args:
        config ([`DialogueConfig`]): The configuration.
    """

    def __init__(self, config: DialogueConfig) -> None:
        both = config.context == "full"
        size = config.dialogue_size // 2 if both else config.dialogue_size
        super().__init__(config.dialogue_size, size, batch_first=True, bidirectional=both)

    def forward(
        self, inputs: torch.Tensor, lengths: torch.Tensor | None = None, start: Any = None
    ) -> tuple[torch.Tensor, Any]:
        """
        Args:
            inputs (`torch.FloatTensor` of shape `(batch, utterances, size)`): The utterances, padded at the end.
            lengths (`torch.LongTensor` of shape `(batch,)`, *optional*): Number of utterances in each dialogue. None if
                there is no padding.
            start (`tuple[torch.FloatTensor]`, *optional*): Final state of an earlier call.

        Returns:
            `tuple`: States `(batch, utterances, size)`, 0 for padding, and the final state.
        """
        if lengths is None:
            return super().forward(inputs, start)
        packed = nn.utils.rnn.pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, end = super().forward(packed, start)
        return nn.utils.rnn.pad_packed_sequence(states, batch_first=True, total_length=inputs.shape[1])[0], end
