"""The `csr` family: a common space over an emotion encoder and source encoders (the paper's Model-3)."""

from collections.abc import Sequence
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedModel

from .adapters import backbone_digest
from .composed_model import ComposedPreTrainedModel
from .configuration_csr import CSRConfig
from .csr_outputs import CSRClassifierOutput, CSRModelOutput
from .labelled_config import LABEL_OPTIONS
from .layers import LabelAttention, SiameseNetwork, feed_forward
from .losses import label_loss
from .modeling_multitask import MultitaskModel, MultitaskModelOutput
from .pooling import pool
from .shared_backbone import SharedBackboneMixin


class CSRPreTrainedModel(ComposedPreTrainedModel):
    config_class = CSRConfig
    base_model_prefix = "csr"
    auto_classes = {
        "AutoConfig": "configuration_csr.CSRConfig",
        "AutoModel": "modeling_csr.CSRModel",
        "AutoModelForSequenceClassification": "modeling_csr.CSRForSequenceClassification",
    }


class CSRModel(SharedBackboneMixin, CSRPreTrainedModel):
    """Emotion encoder, source encoders and the common space over them, without a classifier.

    Args:
        config ([`CSRConfig`]): The configuration.
    """

    _keys_to_ignore_on_load_unexpected = [r"^classifier\."]

    def __init__(self, config: CSRConfig) -> None:
        super().__init__(config)
        for encoder in config.source_encoders:
            # transformers hands `attn_implementation` on to single configs, but not to those in a list.
            if encoder._attn_implementation is None:
                encoder._attn_implementation = config.emotion_encoder._attn_implementation
        self.emotion_encoder = MultitaskModel(config.emotion_encoder)
        self.source_encoders = nn.ModuleList(MultitaskModel(encoder) for encoder in config.source_encoders)
        emotion_size = config.emotion_encoder.representation_size
        input_size = emotion_size + sum(encoder.representation_size for encoder in config.source_encoders)
        self.common_encoder = feed_forward(
            input_size, config.intermediate_size, config.common_size, config.classifier_dropout
        )
        self.decoder = feed_forward(config.common_size, config.intermediate_size, emotion_size)
        self.siamese = SiameseNetwork(config)
        self.share_backbone()
        self.post_init()

    @property
    def text_encoders(self) -> list[MultitaskModel]:
        """The emotion encoder, then the source encoders."""
        return [self.emotion_encoder, *self.source_encoders]

    def encode(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """Return P_E of shape `(batch, emotion_size)` and the P_S in the order of `config.source_encoders`.

        With `common_level="token"`, these are token states with a sequence dimension.
        """
        return self._representations(self._read(input_ids, attention_mask, token_type_ids, inputs_embeds))

    def _read(
        self,
        input_ids: torch.Tensor | None,
        attention_mask: torch.Tensor | None,
        token_type_ids: torch.Tensor | None,
        inputs_embeds: torch.Tensor | None,
        **requested: bool,
    ) -> list[MultitaskModelOutput]:
        """The output of each encoder."""
        self.check_embeds(input_ids, inputs_embeds)
        inputs = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "token_type_ids": token_type_ids,
            "inputs_embeds": inputs_embeds,
        }
        return [encoder(**inputs, **requested, return_dict=True) for encoder in self.text_encoders]

    def _representations(self, read: list[MultitaskModelOutput]) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        part = "last_hidden_state" if self.config.common_level == "token" else "representation"
        emotion, *sources = (output[part] for output in read)
        return emotion, tuple(sources)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        emotion_representation: torch.Tensor | None = None,
        source_representations: Sequence[torch.Tensor] | None = None,
        inputs_embeds: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | None = None,
        output_reconstruction: bool | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> CSRModelOutput | tuple:
        """Pass tokens, or the representations already computed from them; the results are identical.

        Args:
            input_ids, attention_mask, token_type_ids (`torch.LongTensor` of shape `(batch, sequence)`): The texts.
            emotion_representation (`torch.FloatTensor` of shape `(batch, emotion_size)`): P_E as
                [`~CSRModel.encode`] returns it, in place of tokens. For token states, also pass `attention_mask`.
            source_representations (`Sequence[torch.FloatTensor]`): The P_S, each of shape `(batch, source_size)`, in
                the order of `config.source_encoders`.
            inputs_embeds (`torch.FloatTensor` of shape `(batch, sequence, width)`): Word embeddings in place of
                `input_ids`. All encoders read them, so all have to have word embeddings of this width.
            num_items_in_batch (`torch.Tensor`, *optional*): Number of texts in the global batch; the loss is then this
                batch's share of the global loss.
            output_reconstruction (`bool`, *optional*): Whether to decode the common space and measure how far that is
                from P_E, which only training needs. Defaults to whether the model is in training mode.
            output_hidden_states, output_attentions, return_dict (`bool`, *optional*): As for the models of
                transformers; attentions need `attn_implementation="eager"`.

        Raises:
            ValueError: If neither tokens nor all representations are given, or tokens and `inputs_embeds` are, or an
                encoder has word embeddings of another width than `inputs_embeds`.
        """
        hidden_states, attentions, as_dict = self.requested(output_hidden_states, output_attentions, return_dict)
        read: list[MultitaskModelOutput] = []
        if emotion_representation is None:
            if input_ids is None and inputs_embeds is None:
                raise ValueError("Pass input_ids, or emotion_representation with source_representations.")
            wanted = {"output_hidden_states": hidden_states, "output_attentions": attentions}
            read = self._read(input_ids, attention_mask, token_type_ids, inputs_embeds, **wanted)
            emotion_representation, source_representations = self._representations(read)
        source_representations = tuple(source_representations or ())
        if len(source_representations) != len(self.source_encoders):
            raise ValueError(
                f"The model has {len(self.source_encoders)} source encoders but received "
                f"{len(source_representations)} source_representations."
            )
        corrupted = F.dropout(emotion_representation, self.config.emotion_corruption, self.training)
        joined = torch.cat([*source_representations, corrupted], dim=-1)
        common_space, common_states = self.common_encoder(joined), None
        target = emotion_representation
        if self.config.common_level == "token":
            if attention_mask is None:
                attention_mask = torch.ones(target.shape[:2], dtype=torch.long, device=target.device)
            common_states, common_space = common_space, pool(common_space, attention_mask, "mean")
            target = pool(target, attention_mask, self.config.emotion_encoder.pooling)
        output = CSRModelOutput(
            common_space=common_space,
            common_states=common_states,
            emotion_representation=emotion_representation,
            source_representations=source_representations,
        )
        if self.training if output_reconstruction is None else output_reconstruction:
            output.reconstruction = self.decoder(common_space)
            # If the emotion encoder is trained jointly, the reconstruction must move towards P_E, not P_E towards it.
            distances = self.siamese(output.reconstruction, target.detach())
            items = distances.shape[0] if num_items_in_batch is None else num_items_in_batch
            output.reconstruction_loss = distances.sum() / items
        if read and hidden_states:
            output.hidden_states = read[0].hidden_states
            output.source_hidden_states = tuple(one.hidden_states for one in read[1:])
        if read and attentions:
            output.attentions = read[0].attentions
            output.source_attentions = tuple(one.attentions for one in read[1:])
        return output if as_dict else output.to_tuple()


class CSRForSequenceClassification(CSRPreTrainedModel):
    """[`CSRModel`] with a linear classifier on the common space, or one attention head per label over its tokens.

    Args:
        config ([`CSRConfig`]): The configuration.

    Raises:
        ValueError: If the configuration is that of a saved [`SiameseModel`], which has no weights of a classifier.
    """

    def __init__(self, config: CSRConfig) -> None:
        super().__init__(config)
        if config.architectures == ["SiameseModel"]:
            raise ValueError(
                f"{config.name_or_path or 'The folder'} holds a Siamese network without a classifier: load it with "
                "AutoModel, or load the folder of a classifier."
            )
        config.check_labels()
        self.csr = CSRModel(config)
        self.dropout = nn.Dropout(config.classifier_dropout)
        head = LabelAttention if config.common_level == "token" else nn.Linear
        self.classifier = head(config.common_size, config.num_labels)
        self.post_init()

    @classmethod
    def from_encoders(
        cls,
        emotion_encoder: MultitaskModel,
        source_encoders: Sequence[MultitaskModel],
        siamese: PreTrainedModel | None = None,
        **config_kwargs: Any,
    ) -> Self:
        """Create a new common space over trained encoders (the last stage of the paper).

        Args:
            emotion_encoder ([`MultitaskModel`]): The trained emotion encoder.
            source_encoders (`Sequence[MultitaskModel]`): The trained source encoders.
            siamese ([`SiameseModel`], *optional*): The trained Siamese network. Without it, the network stays
                random, which is only useful with `reconstruction_loss_weight=0`.
            **config_kwargs: Other fields of [`CSRConfig`].
        """
        if siamese is not None:
            for name in ("siamese_size", "siamese_loss", "siamese_margin"):
                config_kwargs.setdefault(name, getattr(siamese.config, name))
        config = CSRConfig(
            emotion_encoder=emotion_encoder.config,
            source_encoders=[encoder.config for encoder in source_encoders],
            **config_kwargs,
        )
        model = cls(config)
        model.csr.emotion_encoder = emotion_encoder
        model.csr.source_encoders = nn.ModuleList(source_encoders)
        if config.shared_backbone:
            digests = {backbone_digest(encoder.encoder) for encoder in (emotion_encoder, *source_encoders)}
            if len(digests) > 1:
                raise ValueError(
                    "shared_backbone needs encoders that are adapters of one text encoder, but the weights below these "
                    "adapters differ: train them all from the same pretrained encoder."
                )
            model.csr.share_backbone()
        if siamese is not None:
            model.csr.siamese.load_state_dict(siamese.siamese.state_dict())
        return model

    @classmethod
    def from_common_space(cls, csr: CSRModel, **config_kwargs: Any) -> Self:
        """Create a new classifier, usually for different labels, on a trained common space.

        Args:
            csr ([`CSRModel`]): The common space with its encoders, which are copied.
            **config_kwargs: Fields of [`CSRConfig`] to change, including the labels (`id2label` and `label2id`).
                Thresholds, calibration, class weights, label loss and problem type belong to the old labels and are
                not copied.
        """
        label_fields = (*LABEL_OPTIONS, "problem_type", "architectures")
        kept = {name: value for name, value in csr.config.to_dict().items() if name not in label_fields}
        model = cls(CSRConfig(**kept | config_kwargs))
        model.csr.load_state_dict(csr.state_dict())
        return model

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        emotion_representation: torch.Tensor | None = None,
        source_representations: Sequence[torch.Tensor] | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | None = None,
        output_reconstruction: bool | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> CSRClassifierOutput | tuple:
        """
        Args:
            labels (`torch.Tensor`, *optional*): Multi-hot floats `(batch, num_labels)` or class ids `(batch,)`.
            output_reconstruction (`bool`, *optional*): Whether to return `reconstruction_loss`. Defaults to whether
                there are labels, whose loss contains it.

        The other arguments are those of [`CSRModel`].
        """
        hidden_states, attentions, as_dict = self.requested(output_hidden_states, output_attentions, return_dict)
        states = self.csr(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            emotion_representation=emotion_representation,
            source_representations=source_representations,
            inputs_embeds=inputs_embeds,
            num_items_in_batch=num_items_in_batch,
            output_reconstruction=labels is not None or bool(output_reconstruction),
            output_hidden_states=hidden_states,
            output_attentions=attentions,
            return_dict=True,
        )
        if states.common_states is None:
            logits = self.classifier(self.dropout(states.common_space))
        else:
            if attention_mask is None:
                attention_mask = torch.ones(states.common_states.shape[:2], device=states.common_states.device)
            logits = self.classifier(self.dropout(states.common_states), attention_mask)
        loss, prediction_loss = None, None
        if labels is not None:
            config = self.config
            prediction_loss = label_loss(
                logits, labels, config.problem_type, num_items_in_batch, config.class_weights, config.label_loss
            )
            loss = (
                config.prediction_loss_weight * prediction_loss
                + config.reconstruction_loss_weight * states.reconstruction_loss
            )
        output = CSRClassifierOutput(
            loss=loss,
            prediction_loss=prediction_loss,
            reconstruction_loss=states.reconstruction_loss,
            logits=logits,
            common_space=states.common_space,
            hidden_states=states.hidden_states,
            attentions=states.attentions,
            source_hidden_states=states.source_hidden_states,
            source_attentions=states.source_attentions,
        )
        return output if as_dict else output.to_tuple()


__all__ = ["CSRForSequenceClassification", "CSRModel", "CSRPreTrainedModel"]
