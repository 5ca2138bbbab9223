"""The `dialogue` family: classification of utterances in the context of their dialogue."""

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn
from transformers.utils import ModelOutput

from .configuration_dialogue import DialogueConfig
from .dialogue_layers import AttentionPooling, DialogueAttention, SpeakerFeatures, UtteranceLSTM, number_speakers
from .dialogue_tracker import DialogueTracker
from .losses import label_loss
from .modeling_multitask import MultitaskModel
from .pretrained_model import EmotionPreTrainedModel


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
        attentions (`torch.FloatTensor` of shape `(batch, heads, utterances, past + utterances)`, *optional*): Weights
            of the multi-head attention, if requested.
        pooling_attentions (`torch.FloatTensor` of shape `(batch, utterances, past + utterances)`, *optional*): Weights
            of the attention pooling, if requested.
        past ([`DialoguePast`], *optional*): State for the next utterances, if requested.
    """

    dialogue_states: torch.Tensor | None = None
    utterance_representations: torch.Tensor | None = None
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
        attentions, pooling_attentions, past (*optional*): As in [`DialogueModelOutput`].
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    attentions: torch.Tensor | None = None
    pooling_attentions: torch.Tensor | None = None
    past: DialoguePast | None = None


class DialoguePreTrainedModel(EmotionPreTrainedModel):
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

    def get_input_embeddings(self) -> nn.Module:
        return self.utterance_encoder.get_input_embeddings()

    def encode(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        utterance_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return representations `(batch, utterances, size)` of tokens `(batch, utterances, tokens)`; 0 for padding."""
        present = torch.ones(input_ids.shape[:2], dtype=torch.bool, device=input_ids.device)
        if utterance_mask is not None:
            present = utterance_mask.bool()
        names = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
        inputs = {name: value[present] for name, value in names.items() if value is not None}
        encoded = self.utterance_encoder(**inputs).representation
        representations = encoded.new_zeros(*present.shape, encoded.shape[-1])
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
        output_attentions: bool = False,
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
            output_attentions (`bool`): Whether to return the attention weights.

        Raises:
            ValueError: If neither tokens nor representations are given, padding precedes an utterance, or `past` is
                passed or requested where it is not supported.
        """
        if utterance_representations is None:
            if input_ids is None:
                raise ValueError("Pass input_ids, or utterance_representations.")
            if input_ids.dim() == 2:
                input_ids, attention_mask, token_type_ids = (
                    value if value is None else value.unsqueeze(1)
                    for value in (input_ids, attention_mask, token_type_ids)
                )
            utterance_representations = self.encode(input_ids, attention_mask, token_type_ids, utterance_mask)
        shape, device = utterance_representations.shape[:2], utterance_representations.device
        if speaker_ids is None:
            speaker_ids = torch.zeros(shape, dtype=torch.long, device=device)
        mask = torch.ones(shape, dtype=torch.bool, device=device) if utterance_mask is None else utterance_mask.bool()
        if not mask[:, 0].all() or (mask[:, 1:] & ~mask[:, :-1]).any():
            raise ValueError(
                "utterance_mask must be 1 for the utterances of a dialogue, at least one, and then 0 for padding."
            )
        if (past is not None or use_cache) and not (self.config.context == "past" and mask.all()):
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
            states = self.recurrent(alone, torch.ones(len(alone), dtype=torch.long))[0].view_as(utterances)
        else:
            utterances = utterances + self.speakers(numbers)[:, -shape[1] :]
            start = None if past is None else past.recurrent_state
            states, recurrent_state = self.recurrent(self.dropout(utterances), mask.sum(dim=1), start)
        all_states = states if past is None else torch.cat([past.states, states], dim=1)
        allowed = self._allowed(mask, all_states.shape[1])
        read, attentions = self.attention(states + utterances, all_states, numbers, allowed)
        pooled, pooling_attentions = self.pooling(all_states, allowed)
        output = DialogueModelOutput(
            dialogue_states=torch.cat([utterances, states, read, pooled], dim=-1),
            utterance_representations=utterance_representations,
            attentions=attentions if output_attentions else None,
            pooling_attentions=pooling_attentions if output_attentions else None,
        )
        if use_cache:
            spoken = speaker_ids if past is None else torch.cat([past.speaker_ids, speaker_ids], dim=1)
            output.past = DialoguePast(all_states, spoken, recurrent_state)
        return output.to_tuple() if return_dict is False else output

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
        output_attentions: bool = False,
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
        output = self.dialogue(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            utterance_representations=utterance_representations,
            speaker_ids=speaker_ids,
            utterance_mask=utterance_mask,
            past=past,
            use_cache=use_cache,
            output_attentions=output_attentions,
        )
        logits = self.classifier(self.dropout(output.dialogue_states))
        if utterance_representations is None and input_ids.dim() == 2:
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
            attentions=output.attentions,
            pooling_attentions=output.pooling_attentions,
            past=output.past,
        )
        return output.to_tuple() if return_dict is False else output


__all__ = ["DialogueForUtteranceClassification", "DialogueModel", "DialoguePreTrainedModel"]
