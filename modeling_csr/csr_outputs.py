"""Outputs of the `csr` family."""

from dataclasses import dataclass

import torch
from transformers.utils import ModelOutput


@dataclass
class CSRModelOutput(ModelOutput):
    """
    Args:
        common_space (`torch.FloatTensor` of shape `(batch, common_size)`): The common-space representation.
        common_states (`torch.FloatTensor` of shape `(batch, sequence, common_size)`, *optional*): The
            common-space representation of each token, with `common_level="token"`.
        reconstruction (`torch.FloatTensor` of shape `(batch, emotion_size)`, *optional*): Output of the decoder, in
            training or if requested.
        reconstruction_loss (`torch.FloatTensor`, *optional*): S(decoder(CSR), P_E), averaged over texts, in training
            or if requested.
        emotion_representation (`torch.FloatTensor` of shape `(batch, emotion_size)`): P_E, or the token
            states `(batch, sequence, emotion_size)` with `common_level="token"`.
        source_representations (`tuple[torch.FloatTensor]`): The P_S, in the order of `config.source_encoders`.
        hidden_states, attentions (`tuple[torch.FloatTensor]`, *optional*): Those of the emotion encoder, if requested.
        source_hidden_states, source_attentions (`tuple[tuple[torch.FloatTensor]]`, *optional*): Those of the source
            encoders, if requested.
    """

    common_space: torch.Tensor | None = None
    common_states: torch.Tensor | None = None
    reconstruction: torch.Tensor | None = None
    reconstruction_loss: torch.Tensor | None = None
    emotion_representation: torch.Tensor | None = None
    source_representations: tuple[torch.Tensor, ...] | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    source_hidden_states: tuple[tuple[torch.Tensor, ...] | None, ...] | None = None
    source_attentions: tuple[tuple[torch.Tensor, ...] | None, ...] | None = None


@dataclass
class CSRClassifierOutput(ModelOutput):
    """
    Args:
        loss (`torch.FloatTensor`, *optional*): Weighted sum of the two losses below, if labels are given.
        prediction_loss (`torch.FloatTensor`, *optional*): The unweighted label loss.
        reconstruction_loss (`torch.FloatTensor`, *optional*): The unweighted reconstruction loss, if labels are given
            or it is requested.
        logits (`torch.FloatTensor` of shape `(batch, num_labels)`): Unnormalised scores.
        common_space (`torch.FloatTensor` of shape `(batch, common_size)`): The common-space representation.
        hidden_states, attentions, source_hidden_states, source_attentions (*optional*): As in [`CSRModelOutput`].

    For the representations of the encoders, call [`CSRModel`] (`model.csr(**batch)`): pipelines split the output of a
    batch into texts and cannot split a tuple of representations.
    """

    loss: torch.Tensor | None = None
    prediction_loss: torch.Tensor | None = None
    reconstruction_loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    common_space: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    source_hidden_states: tuple[tuple[torch.Tensor, ...] | None, ...] | None = None
    source_attentions: tuple[tuple[torch.Tensor, ...] | None, ...] | None = None


__all__ = ["CSRClassifierOutput", "CSRModelOutput"]
