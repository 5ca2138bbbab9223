"""The `recurrent-encoder` family: CNN, LSTM and GRU branches over word embeddings, as an alternative to BERT."""

from typing import Any

import torch
from torch import nn
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutputWithPooling

from .configuration_recurrent_encoder import RecurrentEncoderConfig
from .pooling import pool


class RecurrentBranch(nn.Module):
    """LSTM or GRU layers over texts that all begin in column 0.

    The two directions are separate modules, and the backward one reads each text reversed within its own length, so
    padding always follows the text and does not affect it. Packed sequences would give the same numbers, but torch
    processes them step by step, up to four times slower on a CPU than padded, length-grouped batches.

    Args:
        config ([`RecurrentEncoderConfig`]): The configuration.
        branch (`dict`): One of its branches.
    """

    def __init__(self, config: RecurrentEncoderConfig, branch: dict[str, Any]) -> None:
        super().__init__()
        cell = nn.LSTM if branch["type"].endswith("lstm") else nn.GRU
        directions, hidden_size = 2 if branch["type"].startswith("bi") else 1, branch["hidden_size"]
        sizes = [config.input_size] + [directions * hidden_size] * (branch["num_layers"] - 1)
        self.layers = nn.ModuleList(
            nn.ModuleList(cell(size, hidden_size, batch_first=True) for _ in range(directions)) for size in sizes
        )
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, states: torch.Tensor, reverse: torch.Tensor) -> torch.Tensor:
        """Map `(batch, sequence, input size)` to `(batch, sequence, branch size)`.

        `reverse` holds, for each column, the column that replaces it when the text is reversed.
        """
        for number, directions in enumerate(self.layers):
            if number:
                states = self.dropout(states)
            outputs = [directions[0](states)[0]]
            if len(directions) == 2:
                outputs.append(take_columns(directions[1](take_columns(states, reverse))[0], reverse))
            states = torch.cat(outputs, dim=-1)
        return states


class ConvolutionalBranch(nn.Module):
    """Parallel convolutions of several widths over tokens (Kim, 2014, section 2), with one state per token and filter.

    Args:
        config ([`RecurrentEncoderConfig`]): The configuration.
        branch (`dict`): One of its branches.
    """

    def __init__(self, config: RecurrentEncoderConfig, branch: dict[str, Any]) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(config.input_size, branch["hidden_size"], size, padding="same") for size in branch["kernel_sizes"]
        )

    def forward(self, states: torch.Tensor, reverse: torch.Tensor) -> torch.Tensor:
        """Map `(batch, sequence, input size)` to `(batch, sequence, branch size)`.

        Inputs must be zero at padding, just as the implicit padding beyond the last column is.
        """
        columns = states.transpose(1, 2)
        outputs = [torch.relu(convolution(columns)) for convolution in self.convolutions]
        return torch.cat(outputs, dim=1).transpose(1, 2)


class TextPooler(nn.Module):
    """Pools the token states with `config.pooling`. It has no weights."""

    def __init__(self, config: RecurrentEncoderConfig) -> None:
        super().__init__()
        self.pooling = config.pooling

    def forward(self, last_hidden_state: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return pool(last_hidden_state, attention_mask, self.pooling)


class RecurrentEncoderModel(PreTrainedModel):
    """Word embeddings and branches. Padding, wherever it is, never affects the states of tokens.

    Args:
        config ([`RecurrentEncoderConfig`]): The configuration.
    """

    config_class = RecurrentEncoderConfig
    base_model_prefix = "encoder"
    # There is no attention, so every `attn_implementation` gives the same model.
    _supports_sdpa = True

    def __init__(self, config: RecurrentEncoderConfig) -> None:
        super().__init__(config)
        self.word_embeddings = nn.Embedding(config.vocab_size, config.embedding_size, config.pad_token_id)
        self.embedding_dropout = nn.Dropout(config.embedding_dropout)
        self.projection = nn.Linear(config.embedding_size, config.projection_size) if config.projection_size else None
        self.branches = nn.ModuleList(
            (ConvolutionalBranch if branch["type"] == "cnn" else RecurrentBranch)(config, branch)
            for branch in config.branches
        )
        self.hidden_dropout = nn.Dropout(config.hidden_dropout)
        self.pooler = TextPooler(config)
        self.post_init()

    def save_pretrained(self, save_directory: str, **kwargs: Any) -> None:
        """Save the model. The config records the class for each Auto class."""
        self.config.auto_map = {
            "AutoConfig": "configuration_recurrent_encoder.RecurrentEncoderConfig",
            "AutoModel": "modeling_recurrent_encoder.RecurrentEncoderModel",
        }
        super().save_pretrained(save_directory, **kwargs)

    def get_input_embeddings(self) -> nn.Module:
        return self.word_embeddings

    def set_input_embeddings(self, value: nn.Embedding) -> None:
        self.word_embeddings = value

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=self.config.initializer_range)
            if module.padding_idx is not None:
                init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, nn.LSTM | nn.GRU):
            for name, parameter in module.named_parameters():
                if name.startswith("bias"):
                    init.zeros_(parameter)
                    continue
                # One gate at a time, because the gates are stacked in one matrix.
                initialise = init.orthogonal_ if name.startswith("weight_hh") else init.xavier_uniform_
                for gate in parameter.split(module.hidden_size):
                    initialise(gate)
            if isinstance(module, nn.LSTM):
                # Forget bias of 1 (Jozefowicz et al., 2015, section 2.2); the order is input, forget, cell and output.
                init.ones_(module.bias_ih_l0[module.hidden_size : 2 * module.hidden_size])
        elif isinstance(module, nn.Linear | nn.Conv1d):
            init.xavier_uniform_(module.weight)
            init.zeros_(module.bias)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> BaseModelOutputWithPooling | tuple:
        """
        Args:
            input_ids (`torch.LongTensor` of shape `(batch, sequence)`): Token ids.
            attention_mask (`torch.LongTensor` of shape `(batch, sequence)`, *optional*): 1 for tokens, 0 for padding.
            inputs_embeds (`torch.FloatTensor` of shape `(batch, sequence, embedding_size)`): Used in place
                of `input_ids`.
            output_hidden_states (`bool`, *optional*): Whether to return the input of the branches and the
                output as `hidden_states`.
            output_attentions (`bool`, *optional*): No effect, since there is no attention.

        Returns:
            `BaseModelOutputWithPooling`: `last_hidden_state` of shape `(batch, sequence, hidden_size)`, zero at
            padding, and `pooler_output` of shape `(batch, hidden_size)`.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Pass either input_ids or inputs_embeds.")
        embeddings = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        if attention_mask is None:
            attention_mask = torch.ones(embeddings.shape[:2], dtype=torch.long, device=embeddings.device)
        states = self.embedding_dropout(embeddings)
        if self.projection is not None:
            states = self.projection(states)
        present = attention_mask.bool()
        states = states * present.unsqueeze(-1)
        read = states

        # Move every text to the left, so that it begins in column 0.
        tokens_first = present.long().argsort(dim=1, descending=True, stable=True)
        columns = torch.arange(present.shape[1], device=present.device)
        lengths = present.sum(dim=1, keepdim=True)
        reverse = torch.where(columns < lengths, lengths - 1 - columns, columns)
        states = take_columns(states, tokens_first)
        states = torch.cat([branch(states, reverse) for branch in self.branches], dim=-1)
        states = take_columns(states, tokens_first.argsort(dim=1))
        states = self.hidden_dropout(states) * present.unsqueeze(-1)

        output = BaseModelOutputWithPooling(
            last_hidden_state=states,
            pooler_output=None if self.pooler is None else self.pooler(states, attention_mask),
            hidden_states=(read, states) if output_hidden_states else None,
        )
        return output.to_tuple() if return_dict is False else output


def take_columns(states: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Reorder the columns of `states`, `(batch, sequence, size)`, by the indices `(batch, sequence)` of each row."""
    return states.gather(1, columns.unsqueeze(-1).expand(-1, -1, states.shape[-1]))


# Registered here for the same reason as the configuration. As remote code, configuration and model are separate modules
# that each define a config class of this name; the one in CONFIG_MAPPING is the one that configurations are built from.
if CONFIG_MAPPING[RecurrentEncoderConfig.model_type] not in AutoModel._model_mapping:
    AutoModel._model_mapping.register(CONFIG_MAPPING[RecurrentEncoderConfig.model_type], RecurrentEncoderModel)
RecurrentEncoderModel.register_for_auto_class("AutoModel")

__all__ = ["RecurrentEncoderModel"]
