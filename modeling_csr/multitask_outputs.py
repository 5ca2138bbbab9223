"""What the `csr-multitask` family returns."""

from dataclasses import dataclass

import torch
from transformers.utils import ModelOutput


@dataclass
class MultitaskModelOutput(ModelOutput):
    """
    Args:
        representation (`torch.FloatTensor` of shape `(batch, representation_size)`): The text, as
            selected by `config.representation`.
        pooler_output (`torch.FloatTensor` of shape `(batch, hidden_size)`): The pooled encoder output.
        shared_output (`torch.FloatTensor`): Output of the last shared layer, or the pooled output if there is none.
        last_hidden_state (`torch.FloatTensor` of shape `(batch, sequence, hidden_size)`): Token states.
        hidden_states, attentions (`tuple[torch.FloatTensor]`, *optional*): Those of the encoder, if requested.
    """

    representation: torch.Tensor | None = None
    pooler_output: torch.Tensor | None = None
    shared_output: torch.Tensor | None = None
    last_hidden_state: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class MultitaskClassifierOutput(ModelOutput):
    """
    Args:
        loss (`torch.FloatTensor`, *optional*): Weighted sum of the task losses, if labels are given.
        logits (`torch.FloatTensor` of shape `(batch, num_labels)`): Unnormalised scores of the main task.
        task_logits (`dict[str, torch.FloatTensor]`): Unnormalised scores of each task.
        task_losses (`dict[str, torch.FloatTensor]`, *optional*): Unweighted losses of the tasks that have labels.
        representation (`torch.FloatTensor` of shape `(batch, representation_size)`): The text, as
            selected by `config.representation`.
        hidden_states, attentions (`tuple[torch.FloatTensor]`, *optional*): Those of the encoder, if requested.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    task_logits: dict[str, torch.Tensor] | None = None
    task_losses: dict[str, torch.Tensor] | None = None
    representation: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


__all__ = ["MultitaskClassifierOutput", "MultitaskModelOutput"]
