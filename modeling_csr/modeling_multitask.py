"""The `csr-multitask` family: one text encoder, shared layers and one head per task."""

import inspect
from itertools import pairwise
from typing import Any, Self

import torch
from torch import nn
from transformers import AutoModel, PreTrainedModel
from transformers import initialization as init
from transformers.utils import ModelOutput

from .adapter_folder import adapter_in, load_adapter
from .adapters import add_adapter, merge_adapter
from .configuration_multitask import MultitaskConfig
from .losses import count_labelled, label_loss
from .modeling_recurrent_encoder import RecurrentEncoderModel
from .multitask_outputs import MultitaskClassifierOutput, MultitaskModelOutput
from .pooling import Unpooled, pool
from .pretrained_model import EmotionPreTrainedModel


class MultitaskPreTrainedModel(EmotionPreTrainedModel):
    config_class = MultitaskConfig
    base_model_prefix = "multitask"
    auto_classes = {
        "AutoConfig": "configuration_multitask.MultitaskConfig",
        "AutoModel": "modeling_multitask.MultitaskModel",
        "AutoModelForSequenceClassification": "modeling_multitask.MultitaskForSequenceClassification",
    }

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.ParameterDict):  # log variances
            for log_variance in module.values():
                init.zeros_(log_variance)

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Any,
        *model_args: Any,
        config: Any = None,
        backbone: "str | PreTrainedModel | None" = None,
        **kwargs: Any,
    ) -> Self:
        """As `PreTrainedModel.from_pretrained`, and folders and repositories that hold an adapter alone load, too.

        Args:
            backbone (`str` or `PreTrainedModel`, *optional*): The encoder that the adapter was trained on: its Hub id,
                its folder, or a loaded encoder or model, whose weights are then shared. Defaults to the Hub id that
                the adapter's config names.

        Raises:
            ValueError: If the adapter was trained on another encoder than `backbone`, or names none and none is given.
        """
        found = adapter_in(cls.config_class, pretrained_model_name_or_path, config, kwargs)
        if found is None:
            if backbone is not None:
                raise ValueError(f"backbone is for adapters; {pretrained_model_name_or_path} is a complete model.")
            return super().from_pretrained(pretrained_model_name_or_path, *model_args, config=config, **kwargs)
        return load_adapter(super().from_pretrained, pretrained_model_name_or_path, *found, backbone)


class MultitaskModel(MultitaskPreTrainedModel):
    """Encoder with pooling and shared layers, without heads.

    Args:
        config ([`MultitaskConfig`]): The configuration.
    """

    _keys_to_ignore_on_load_unexpected = [r"^heads\.", r"^log_variances\."]

    def __init__(self, config: MultitaskConfig) -> None:
        super().__init__(config)
        # In the precision that the whole model is loaded in, not the one named by the encoder's config.
        self.set_encoder(AutoModel.from_config(config.encoder, dtype=torch.get_default_dtype()))
        if config.adapter is not None:
            add_adapter(self.encoder, config.adapter, config.adapter_name)
        sizes = [config.encoder.hidden_size, *(config.shared_layer_sizes or [])]
        self.shared_layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(sizes))
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.post_init()

    def set_encoder(self, encoder: PreTrainedModel) -> None:
        """Replace the encoder. Its own pooler, which is never used here, is dropped."""
        if getattr(encoder, "pooler", None) is not None:
            optional = "add_pooling_layer" in inspect.signature(type(encoder)).parameters
            optional |= isinstance(encoder, RecurrentEncoderModel)
            # Without that choice, an encoder may call its pooler whether it has one or not.
            encoder.pooler = None if optional else Unpooled()  # type: ignore[assignment]
        self.encoder = encoder
        self._encoder_takes_token_types = "token_type_ids" in inspect.signature(encoder.forward).parameters
        # BERT and its relatives number positions by column, including padding; RoBERTa and rotary encoders do not.
        positions = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
        self._encoder_numbers_columns = isinstance(positions, nn.Embedding) and positions.padding_idx is None
        self._encoder_positions: int | None = None
        if isinstance(positions, nn.Embedding):
            # RoBERTa and MPNet number tokens starting after the padding index.
            first = 0 if positions.padding_idx is None else positions.padding_idx + 1
            self._encoder_positions = positions.num_embeddings - first

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.encoder.set_input_embeddings(value)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> MultitaskModelOutput | tuple:
        """
        Args:
            input_ids (`torch.LongTensor` of shape `(batch, sequence)`): Token ids.
            attention_mask (`torch.LongTensor` of shape `(batch, sequence)`, *optional*): 1 for tokens, 0 for padding.
            token_type_ids (`torch.LongTensor`, *optional*): Passed to encoders that accept them, ignored otherwise.
            inputs_embeds (`torch.FloatTensor` of shape `(batch, sequence, hidden_size)`): Used in place of
                `input_ids`.
            output_hidden_states, output_attentions, return_dict (`bool`, *optional*): As for the models of
                transformers; attentions need `attn_implementation="eager"`.

        Raises:
            ValueError: If both `input_ids` and `inputs_embeds` are given, or neither is, or a text has more tokens than
                the encoder has positions.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Pass either input_ids or inputs_embeds.")
        hidden_states, attentions, as_dict = self.requested(output_hidden_states, output_attentions, return_dict)
        if attention_mask is None:
            tokens = input_ids if input_ids is not None else inputs_embeds[..., 0]
            attention_mask = torch.ones(tokens.shape, dtype=torch.long, device=tokens.device)
        if not torch.compiler.is_compiling():
            self._check_length(attention_mask)
        inputs: dict[str, Any] = {"input_ids": input_ids, "inputs_embeds": inputs_embeds}
        if token_type_ids is not None and self._encoder_takes_token_types:
            inputs["token_type_ids"] = token_type_ids
        if self._encoder_numbers_columns:
            inputs["position_ids"] = (attention_mask.long().cumsum(dim=1) - 1).clamp(min=0)
        if hidden_states:
            inputs["output_hidden_states"] = True
        if attentions:
            inputs["output_attentions"] = True
        states = self.encoder(attention_mask=attention_mask, return_dict=True, **inputs)
        pooled = pool(states.last_hidden_state, attention_mask, self.config.pooling)
        shared = pooled
        for layer in self.shared_layers:
            shared = torch.tanh(layer(self.dropout(shared)))
        output = MultitaskModelOutput(
            representation=shared if self.config.representation == "shared" else pooled,
            pooler_output=pooled,
            shared_output=shared,
            last_hidden_state=states.last_hidden_state,
            hidden_states=states.get("hidden_states"),
            attentions=states.get("attentions"),
        )
        return output if as_dict else output.to_tuple()

    def _check_length(self, attention_mask: torch.Tensor) -> None:
        limit = self._encoder_positions
        if limit is None or attention_mask.shape[1] <= limit:
            return
        # Padding takes no position, so a batch may be wider than its longest text.
        length = int(attention_mask.sum(dim=1).max())
        if length > limit:
            raise ValueError(
                f"A text has {length} tokens, but the {self.config.encoder.model_type} encoder reads at most {limit}. "
                "Cut it with truncation=True, in the tokenizer's call or the stock pipeline's, or use "
                'pipeline("emotion-classification"), which reads long texts in windows.'
            )


class MultitaskForSequenceClassification(MultitaskPreTrainedModel):
    """[`MultitaskModel`] with one linear head per task.

    Args:
        config ([`MultitaskConfig`]): The configuration, with at least one task.

    Raises:
        ValueError: If the configuration has no task.
    """

    def __init__(self, config: MultitaskConfig) -> None:
        super().__init__(config)
        if not config.tasks:
            raise ValueError("MultitaskForSequenceClassification needs at least one task in its config.")
        config.check_labels()
        self.multitask = MultitaskModel(config)
        width = config.shared_layer_sizes[-1] if config.shared_layer_sizes else config.encoder.hidden_size
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(task["labels"])) for name, task in config.tasks.items()})
        self.dropout = nn.Dropout(config.classifier_dropout)
        learned = config.task_weighting == "uncertainty"
        # By name, because saved configs may order tasks differently; only with "uncertainty", so that other checkpoints
        # do not miss them.
        variances = {name: nn.Parameter(torch.zeros(())) for name in config.tasks}
        self.log_variances = nn.ParameterDict(variances) if learned else None
        self.post_init()

    @classmethod
    def from_encoder(
        cls, name_or_path: str, tasks: dict[str, dict], *, config_kwargs: dict | None = None, **kwargs: Any
    ) -> Self:
        """Create new heads on a pretrained encoder, or on the encoder of a trained model of this family.

        Args:
            name_or_path (`str`): Hub id or folder of any `AutoModel` text encoder or `csr-multitask` model.
            tasks (`dict[str, dict]`): The tasks, as in [`MultitaskConfig`].
            config_kwargs (`dict`, *optional*): Other fields of [`MultitaskConfig`].
            **kwargs: Passed to `AutoModel.from_pretrained` (`revision`, `token`, ...).
        """
        encoder = AutoModel.from_pretrained(name_or_path, **{"dtype": torch.float32, **kwargs})
        if isinstance(encoder, MultitaskModel):
            encoder = encoder.encoder
        if hasattr(encoder, "peft_config"):
            merge_adapter(encoder)
        # The name may be a local folder; the model card says where the encoder came from.
        encoder.config._name_or_path = ""
        model = cls(MultitaskConfig(encoder=encoder.config, tasks=tasks, **(config_kwargs or {})))
        model.multitask.set_encoder(encoder)
        if model.config.adapter is not None:
            add_adapter(encoder, model.config.adapter, model.config.adapter_name)
        return model

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | dict[str, torch.Tensor] | None = None,
        num_items_in_batch: torch.Tensor | dict[str, torch.Tensor] | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> MultitaskClassifierOutput | tuple:
        """
        Args:
            labels (`torch.Tensor` or `dict[str, torch.Tensor]`, *optional*): Labels of the main task, or one tensor per
                task. Missing labels are -100 (class ids) or NaN (multi-hot labels, scores) and do not contribute to
                the loss. See [`losses.label_loss`] for the shapes.
            num_items_in_batch (`torch.Tensor` or `dict[str, torch.Tensor]`, *optional*): Labelled rows of the
                global batch as counted by [`losses.count_labelled`], per task if `labels` are; the loss is then this
                batch's share of the global loss.

        The other arguments are those of [`MultitaskModel`].
        """
        hidden_states, attentions, as_dict = self.requested(output_hidden_states, output_attentions, return_dict)
        states = self.multitask(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            inputs_embeds=inputs_embeds,
            output_hidden_states=hidden_states,
            output_attentions=attentions,
            return_dict=True,
        )
        shared = self.dropout(states.shared_output)
        task_logits = {name: head(shared) for name, head in self.heads.items()}
        loss, task_losses = None, None
        if labels is not None:
            main = self.config.main_task
            labels = labels if isinstance(labels, dict) else {main: labels}
            if not set(labels) & set(self.heads):
                raise ValueError(
                    f"labels are for {', '.join(labels) or 'no task'}, but the tasks are {', '.join(self.heads)}."
                )
            counts = num_items_in_batch if isinstance(num_items_in_batch, dict) else {main: num_items_in_batch}
            task_losses = {
                name: label_loss(
                    task_logits[name],
                    labels[name],
                    task["problem_type"],
                    counts.get(name),
                    task.get("class_weights"),
                    task.get("label_loss", "cross_entropy"),
                )
                for name, task in self.config.tasks.items()
                if name in labels
            }
            loss = sum(
                self.weighted_loss(name, value, labels[name], counts.get(name)) for name, value in task_losses.items()
            )
        output = MultitaskClassifierOutput(
            loss=loss,
            logits=task_logits[self.config.main_task],
            # Unlike a plain dict, pipelines can split this into the texts of a batch.
            task_logits=ModelOutput(task_logits),
            task_losses=task_losses,
            representation=states.representation,
            hidden_states=states.hidden_states,
            attentions=states.attentions,
        )
        return output if as_dict else output.to_tuple()

    def weighted_loss(
        self, name: str, loss: torch.Tensor, labels: torch.Tensor, num_items: torch.Tensor | None
    ) -> torch.Tensor:
        """A task's part of the loss: weighted, with its share of the log-variance penalty if weights are learned.

        Args:
            name (`str`): The task.
            loss (`torch.Tensor`): Its unweighted loss, of `task_losses`.
            labels (`torch.Tensor`): Its labels in the batch.
            num_items (`torch.Tensor`, *optional*): As `num_items_in_batch`, for this task.
        """
        task = self.config.tasks[name]
        loss = task.get("loss_weight", 1.0) * loss
        if self.log_variances is None:
            return loss
        log_variance = self.log_variances[name].float()
        # The penalty counts once per global batch, and not at all if that has no labels of the task.
        here = count_labelled(labels)
        total = here if num_items is None else torch.as_tensor(num_items, device=here.device)
        share = here / total.where(total > 0, 1)
        # Squared error corresponds to a normal distribution, hence the factor 1/2 in equation 10.
        scale = 0.5 if task["problem_type"] == "regression" else 1.0
        return scale * torch.exp(-log_variance) * loss + 0.5 * share * log_variance


__all__ = ["MultitaskForSequenceClassification", "MultitaskModel", "MultitaskPreTrainedModel"]
