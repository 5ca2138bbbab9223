"""Outputs of the `dialogue` family, and the state from which a dialogue continues."""

from dataclasses import dataclass

import torch
from transformers.utils import ModelOutput


@dataclass
class DialoguePast:
    """Cached state of a dialogue, from which its next utterances continue.

    Args:
        states (`torch.FloatTensor` of shape `(batch, past, dialogue_size)`): States of the LSTM.
        speaker_ids (`torch.LongTensor` of shape `(batch, past)`): Speaker of each utterance.
        recurrent_state (`tuple[torch.FloatTensor]`): Final state of the LSTM.
    """

    states: torch.Tensor
    speaker_ids: torch.Tensor
    recurrent_state: tuple[torch.Tensor, torch.Tensor]


@dataclass
class DialogueModelOutput(ModelOutput):
    """
    Args:
        dialogue_states (`torch.FloatTensor` of shape `(batch, utterances, 4 * dialogue_size)`): Each utterance in
            context: the concatenation of the utterance itself, the LSTM state, the attention output and the output of
            the attention pooling.
        utterance_representations (`torch.FloatTensor` of shape `(batch, utterances, size)`): Output of the
            utterance encoder.
        hidden_states (`tuple[torch.FloatTensor]`, *optional*): The four parts of `dialogue_states`, each of shape
            `(batch, utterances, dialogue_size)`, if requested.
        attentions (`torch.FloatTensor` of shape `(batch, heads, utterances, past + utterances)`, *optional*): Weights
            of the multi-head attention, if requested.
        pooling_attentions (`torch.FloatTensor` of shape `(batch, utterances, past + utterances)`, *optional*): Weights
            of the attention pooling, if requested.
        past ([`DialoguePast`], *optional*): State for the next utterances, if requested.
    """

    dialogue_states: torch.Tensor | None = None
    utterance_representations: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: torch.Tensor | None = None
    pooling_attentions: torch.Tensor | None = None
    past: DialoguePast | None = None


@dataclass
class DialogueClassifierOutput(ModelOutput):
    """
    Args:
        loss (`torch.FloatTensor`, *optional*): Mean loss of the labelled utterances, if labels are given.
        logits (`torch.FloatTensor` of shape `(batch, utterances, num_labels)`): Unnormalised scores; of shape
            `(batch, num_labels)` if single utterances were passed.
        hidden_states, attentions, pooling_attentions, past (*optional*): As in [`DialogueModelOutput`].
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: torch.Tensor | None = None
    pooling_attentions: torch.Tensor | None = None
    past: DialoguePast | None = None


__all__ = ["DialogueClassifierOutput", "DialogueModelOutput", "DialoguePast"]
