"""The Siamese network of the `csr` family, together with the emotion encoder it is trained on."""

from dataclasses import dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F
from transformers.utils import ModelOutput

from .configuration_csr import CSRConfig
from .layers import SiameseNetwork
from .modeling_csr import CSRPreTrainedModel
from .modeling_multitask import MultitaskModel, MultitaskModelOutput


@dataclass
class SiameseOutput(ModelOutput):
    """
    Args:
        loss (`torch.FloatTensor`, *optional*): The Siamese loss, if labels are given.
        logits (`torch.FloatTensor` of shape `(batch,)`): Distance of each pair; `None` for single texts.
        embeddings (`torch.FloatTensor` of shape `(batch, siamese_size)` or `(batch, 2, siamese_size)`): g(P_E).
        hidden_states, attentions (`tuple[torch.FloatTensor]`, *optional*): Those of the emotion encoder, if requested,
            with pairs as consecutive rows.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    embeddings: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


class SiameseModel(CSRPreTrainedModel):
    """Emotion encoder with a Siamese network that measures how far apart two texts are in emotion.

    Args:
        config ([`CSRConfig`]): The configuration, whose source encoders are ignored.
    """

    base_model_prefix = ""
    # The folder holds no classifier, so none is named.
    auto_classes = {"AutoConfig": "configuration_csr.CSRConfig", "AutoModel": "modeling_siamese.SiameseModel"}

    def __init__(self, config: CSRConfig) -> None:
        super().__init__(config)
        self.emotion_encoder = MultitaskModel(config.emotion_encoder)
        self.siamese = SiameseNetwork(config)
        self.post_init()

    @classmethod
    def from_encoder(cls, emotion_encoder: MultitaskModel, **config_kwargs: Any) -> Self:
        """Create a new Siamese network over a trained emotion encoder.

        Args:
            emotion_encoder ([`MultitaskModel`]): The trained emotion encoder.
            **config_kwargs: Other fields of [`CSRConfig`].
        """
        model = cls(CSRConfig(emotion_encoder=emotion_encoder.config, **config_kwargs))
        model.emotion_encoder = emotion_encoder
        return model

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        emotion_representation: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> SiameseOutput | tuple:
        """Pass pairs of texts to get their distances, or single texts to get their embeddings.

        Args:
            input_ids, attention_mask, token_type_ids (`torch.LongTensor` of shape `(batch, 2, sequence)` for pairs,
                `(batch, sequence)` for single texts): The texts.
            emotion_representation (`torch.FloatTensor` of shape `(batch, 2, emotion_size)` or
                `(batch, emotion_size)`): P_E, in place of tokens.
            inputs_embeds (`torch.FloatTensor` of shape `(batch, 2, sequence, width)` or `(batch, sequence, width)`):
                Word embeddings in place of `input_ids`.
            labels (`torch.FloatTensor` of shape `(batch,)`, *optional*): Target of each pair: 0 for the same emotion,
                1 for different ones, or a value in between.
            num_items_in_batch (`torch.Tensor`, *optional*): Number of pairs in the global batch; the loss is then this
                batch's share of the global loss.
            output_hidden_states, output_attentions, return_dict (`bool`, *optional*): As for the models of
                transformers; attentions need `attn_implementation="eager"`.

        Raises:
            ValueError: If neither tokens nor representations are given, tokens and `inputs_embeds` are, or labels are
                given for single texts.
        """
        hidden_states, attentions, as_dict = self.requested(output_hidden_states, output_attentions, return_dict)
        read = MultitaskModelOutput()
        if emotion_representation is None:
            if input_ids is None and inputs_embeds is None:
                raise ValueError("Pass input_ids or emotion_representation.")
            self.check_embeds(input_ids, inputs_embeds)
            inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
            flat = {name: value.flatten(0, -2) for name, value in inputs.items() if value is not None}
            shape = input_ids.shape[:-1] if inputs_embeds is None else inputs_embeds.shape[:-2]
            if inputs_embeds is not None:
                flat["inputs_embeds"] = inputs_embeds.flatten(0, -3)
            read = self.emotion_encoder(
                **flat, output_hidden_states=hidden_states, output_attentions=attentions, return_dict=True
            )
            emotion_representation = read.representation.unflatten(0, shape)
        embeddings = self.siamese.projection(emotion_representation)
        distances, loss = None, None
        if embeddings.dim() == 3:
            distances = self.siamese.distance(embeddings[:, 0], embeddings[:, 1])
        if labels is not None:
            if distances is None:
                raise ValueError("labels belong to pairs: pass inputs of shape (batch, 2, ...).")
            losses = self._pair_losses(distances, labels.float())
            loss = losses.sum() / (len(losses) if num_items_in_batch is None else num_items_in_batch)
        output = SiameseOutput(
            loss=loss,
            logits=distances,
            embeddings=embeddings,
            hidden_states=read.hidden_states,
            attentions=read.attentions,
        )
        return output if as_dict else output.to_tuple()

    def _pair_losses(self, distances: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self.config.siamese_loss == "regression":
            return (distances - targets).square()
        apart = F.relu(self.config.siamese_margin - distances).square()
        return (1 - targets) * distances.square() + targets * apart


__all__ = ["SiameseModel"]
