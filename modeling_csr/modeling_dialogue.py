"""The `dialogue` family: classification of utterances in the context of their dialogue."""

from typing import Any, Self

import torch
from torch import nn

from .composed_model import ComposedPreTrainedModel
from .configuration_dialogue import DialogueConfig
from .dialogue_layers import AttentionPooling, DialogueAttention, SpeakerFeatures, UtteranceLSTM, number_speakers
from .dialogue_outputs import DialogueClassifierOutput, DialogueModelOutput, DialoguePast
from .dialogue_tracker import DialogueTracker
from .losses import label_loss
from .modeling_multitask import MultitaskModel


class DialoguePreTrainedModel(ComposedPreTrainedModel):
    config_class = DialogueConfig
    base_model_prefix = "dialogue"
    auto_classes = {
        "AutoConfig": "configuration_dialogue.DialogueConfig",
        "AutoModel": "modeling_dialogue.DialogueModel",
        "AutoModelForSequenceClassification": "modeling_dialogue.DialogueForUtteranceClassification",
    }


class DialogueModel(DialoguePreTrainedModel):
    """Utterance encoder with an LSTM, multi-head attention and attention pooling over the dialogue.

    Speakers are identified only by their role in the dialogue: who spoke first, second and so on, whether the same
    speaker continues, and which utterances share a speaker. There is no table of identities, from which the model
    could learn that Ross is sad and in which new speakers would have no row; unknown speakers need no special case.

    Args:
        config ([`DialogueConfig`]): The configuration.
    """

    _keys_to_ignore_on_load_unexpected = [r"^classifier\."]

    def __init__(self, config: DialogueConfig) -> None:
        super().__init__(config)
        size = config.dialogue_size
        self.utterance_encoder = MultitaskModel(config.utterance_encoder)
        self.utterance_dropout = nn.Dropout(config.utterance_dropout)
        self.projection = nn.Linear(config.utterance_encoder.representation_size, size)
        self.norm = nn.LayerNorm(size)
        self.speakers = SpeakerFeatures(config)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.recurrent = UtteranceLSTM(config)
        self.attention = DialogueAttention(config)
        self.pooling = AttentionPooling(config)
        self.post_init()

    def encode(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        utterance_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return representations `(batch, utterances, size)` of tokens `(batch, utterances, tokens)`, or of word
        embeddings `(batch, utterances, tokens, width)` in place of `input_ids`; 0 for padding."""
        self.check_embeds(input_ids, inputs_embeds)
        names = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "token_type_ids": token_type_ids,
            "inputs_embeds": inputs_embeds,
        }
        inputs = {name: value for name, value in names.items() if value is not None}
        shape = next(iter(inputs.values())).shape[:2]
        if utterance_mask is None:
            flat = {name: value.flatten(0, 1) for name, value in inputs.items()}
            return self.utterance_encoder(**flat, return_dict=True).representation.unflatten(0, shape)
        present = utterance_mask.bool()
        read = {name: value[present] for name, value in inputs.items()}
        encoded = self.utterance_encoder(**read, return_dict=True).representation
        representations = encoded.new_zeros(*shape, encoded.shape[-1])
        representations[present] = encoded
        return representations

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        utterance_representations: torch.Tensor | None = None,
        speaker_ids: torch.Tensor | None = None,
        utterance_mask: torch.Tensor | None = None,
        past: DialoguePast | None = None,
        use_cache: bool = False,
        inputs_embeds: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> DialogueModelOutput | tuple:
        """Pass tokens, or the representations already computed from them; the results are identical.

        Args:
            input_ids, attention_mask, token_type_ids (`torch.LongTensor` of shape `(batch, utterances, tokens)`): The
                dialogues, or `(batch, tokens)` for single utterances, each of which is a dialogue of its own.
            utterance_representations (`torch.FloatTensor` of shape `(batch, utterances, size)`): Output of
                [`~DialogueModel.encode`], in place of tokens.
            speaker_ids (`torch.LongTensor` of shape `(batch, utterances)`, *optional*): Arbitrary ids, equal for the
                same speaker within a dialogue. Defaults to a single speaker.
            utterance_mask (`torch.LongTensor` of shape `(batch, utterances)`, *optional*): 1 for utterances, 0 for the
                padding after them.
            past ([`DialoguePast`], *optional*): State of the preceding utterances; requires
                `context="past"`.
            use_cache (`bool`): Whether to return `past` for the following utterances; requires `context="past"`.
            inputs_embeds (`torch.FloatTensor` of shape `(batch, utterances, tokens, width)`): Word embeddings in place
                of `input_ids`, or `(batch, tokens, width)` for single utterances.
            output_hidden_states, output_attentions (`bool`, *optional*): Whether to return the states and the attention
                weights of the layers over the dialogue. For those of the utterance encoder, call that.
            return_dict (`bool`, *optional*): As for the models of transformers.

        Raises:
            ValueError: If neither tokens nor representations are given, tokens and `inputs_embeds` are, padding
                precedes an utterance, or `past` is passed or requested where it is not supported.
        """
        hidden_states, with_attentions, as_dict = self.requested(output_hidden_states, output_attentions, return_dict)
        if utterance_representations is None:
            if input_ids is None and inputs_embeds is None:
                raise ValueError("Pass input_ids, or utterance_representations.")
            if single_utterances(input_ids, inputs_embeds):
                input_ids, attention_mask, token_type_ids, inputs_embeds = (
                    value if value is None else value.unsqueeze(1)
                    for value in (input_ids, attention_mask, token_type_ids, inputs_embeds)
                )
            utterance_representations = self.encode(
                input_ids, attention_mask, token_type_ids, utterance_mask, inputs_embeds
            )
        shape, device = utterance_representations.shape[:2], utterance_representations.device
        if speaker_ids is None:
            speaker_ids = torch.zeros(shape, dtype=torch.long, device=device)
        mask, padded = torch.ones(shape, dtype=torch.bool, device=device), False
        if utterance_mask is not None:
            mask = utterance_mask.bool()
            if not mask[:, 0].all() or (mask[:, 1:] & ~mask[:, :-1]).any():
                raise ValueError(
                    "utterance_mask must be 1 for the utterances of a dialogue, at least one, and then 0 for padding."
                )
            padded = not mask.all()
        if (past is not None or use_cache) and (self.config.context != "past" or padded):
            raise ValueError('past and use_cache need context="past" and dialogues without padding.')
        if self.config.context == "none":
            # Each utterance is a dialogue of its own.
            speaker_ids = torch.zeros_like(speaker_ids)
        numbers = number_speakers(speaker_ids if past is None else torch.cat([past.speaker_ids, speaker_ids], dim=1))

        utterances = self.norm(self.projection(self.utterance_dropout(utterance_representations)))
        recurrent_state = None
        if self.config.context == "none":
            utterances = utterances + self.speakers(numbers[:, :1])
            alone = self.dropout(utterances).flatten(0, 1).unsqueeze(1)
            states = self.recurrent(alone)[0].view_as(utterances)
        else:
            utterances = utterances + self.speakers(numbers)[:, -shape[1] :]
            start = None if past is None else past.recurrent_state
            # Packing costs an export its free batch size, so it is left out where there is nothing to pack. In training
            # it stays: the gradients of the two ways differ in their last bits.
            lengths = mask.sum(dim=1) if padded or self.training else None
            states, recurrent_state = self.recurrent(self.dropout(utterances), lengths, start)
        all_states = states if past is None else torch.cat([past.states, states], dim=1)
        allowed = self._allowed(mask, all_states.shape[1])
        read, attentions = self.attention(states + utterances, all_states, numbers, allowed)
        pooled, pooling_attentions = self.pooling(all_states, allowed)
        parts = (utterances, states, read, pooled)
        output = DialogueModelOutput(
            dialogue_states=torch.cat(parts, dim=-1),
            utterance_representations=utterance_representations,
            hidden_states=parts if hidden_states else None,
            attentions=attentions if with_attentions else None,
            pooling_attentions=pooling_attentions if with_attentions else None,
        )
        if use_cache:
            spoken = speaker_ids if past is None else torch.cat([past.speaker_ids, speaker_ids], dim=1)
            output.past = DialoguePast(all_states, spoken, recurrent_state)
        return output if as_dict else output.to_tuple()

    def _allowed(self, mask: torch.Tensor, length: int) -> torch.Tensor:
        """Mask `(batch, utterances, length)` of the `length` utterances that the latest ones may attend to."""
        batch, size = mask.shape
        places = torch.arange(length, device=mask.device)
        own = places[-size:, None]
        if self.config.context == "full":
            return mask.unsqueeze(1).expand(batch, size, length)
        # Padding comes after the utterances, so these masks never reach it.
        read = places <= own if self.config.context == "past" else places == own
        return read.expand(batch, size, length)


def single_utterances(input_ids: torch.Tensor | None, inputs_embeds: torch.Tensor | None) -> bool:
    """Whether the inputs are `(batch, tokens, ...)` and not `(batch, utterances, tokens, ...)`."""
    return input_ids.dim() == 2 if inputs_embeds is None else inputs_embeds.dim() == 3


class DialogueForUtteranceClassification(DialoguePreTrainedModel):
    """[`DialogueModel`] with a linear classifier over each utterance.

    Args:
        config ([`DialogueConfig`]): The configuration.
    """

    def __init__(self, config: DialogueConfig) -> None:
        super().__init__(config)
        config.check_labels()
        self.dialogue = DialogueModel(config)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.classifier = nn.Linear(4 * config.dialogue_size, config.num_labels)
        self.post_init()

    @classmethod
    def from_encoder(cls, utterance_encoder: MultitaskModel, **config_kwargs: Any) -> Self:
        """Create new dialogue layers over a trained utterance encoder.

        Args:
            utterance_encoder ([`MultitaskModel`]): The trained encoder of single utterances.
            **config_kwargs: Other fields of [`DialogueConfig`].
        """
        model = cls(DialogueConfig(utterance_encoder=utterance_encoder.config, **config_kwargs))
        model.dialogue.utterance_encoder = utterance_encoder
        return model

    def tracker(self, tokenizer: Any, **kwargs: Any) -> DialogueTracker:
        """Return a [`DialogueTracker`] that follows a dialogue utterance by utterance with this model."""
        return DialogueTracker(self, tokenizer, **kwargs)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        utterance_representations: torch.Tensor | None = None,
        speaker_ids: torch.Tensor | None = None,
        utterance_mask: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | None = None,
        past: DialoguePast | None = None,
        use_cache: bool = False,
        inputs_embeds: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> DialogueClassifierOutput | tuple:
        """
        Args:
            labels (`torch.Tensor`, *optional*): Class ids `(batch, utterances)`, -100 for padding and
                unlabelled utterances, or multi-hot floats `(batch, utterances, num_labels)` with NaN for these.
            num_items_in_batch (`torch.Tensor`, *optional*): Number of labelled utterances in the global batch; the
                loss is then this batch's share of the global loss.

        The other arguments are those of [`DialogueModel`].
        """
        hidden_states, attentions, as_dict = self.requested(output_hidden_states, output_attentions, return_dict)
        output = self.dialogue(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            utterance_representations=utterance_representations,
            speaker_ids=speaker_ids,
            utterance_mask=utterance_mask,
            past=past,
            use_cache=use_cache,
            inputs_embeds=inputs_embeds,
            output_hidden_states=hidden_states,
            output_attentions=attentions,
            return_dict=True,
        )
        logits = self.classifier(self.dropout(output.dialogue_states))
        if utterance_representations is None and single_utterances(input_ids, inputs_embeds):
            logits = logits.squeeze(1)
        loss = None
        if labels is not None:
            rows = logits.reshape(-1, logits.shape[-1])
            targets = labels.reshape(len(rows), -1) if labels.is_floating_point() else labels.reshape(-1)
            config = self.config
            loss = label_loss(
                rows, targets, config.problem_type, num_items_in_batch, config.class_weights, config.label_loss
            )
        output = DialogueClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=output.hidden_states,
            attentions=output.attentions,
            pooling_attentions=output.pooling_attentions,
            past=output.past,
        )
        return output if as_dict else output.to_tuple()


__all__ = ["DialogueForUtteranceClassification", "DialogueModel", "DialoguePreTrainedModel"]
