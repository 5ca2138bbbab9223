"""The Siamese network of the `csr` family, together with the emotion encoder it is trained on."""

from dataclasses import dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import nn
from transformers.utils import ModelOutput

from .configuration_csr import CSRConfig
from .layers import SiameseNetwork
from .modeling_csr import CSRPreTrainedModel
from .modeling_multitask import MultitaskModel


@dataclass
class SiameseOutput(ModelOutput):
    """
    Args:
        loss (`torch.FloatTensor`, *optional*): The Siamese loss, if labels are given.
        logits (`torch.FloatTensor` of shape `(batch,)`): Distance of each pair; `None` for single texts.
        embeddings (`torch.FloatTensor` of shape `(batch, siamese_size)` or `(batch, 2, siamese_size)`): g(P_E).
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    embeddings: torch.Tensor | None = None


class SiameseModel(CSRPreTrainedModel):
    """Emotion encoder with a Siamese network that measures how far apart two texts are in emotion.

    Args:
        config ([`CSRConfig`]): The configuration, whose source encoders are ignored.
    """

    base_model_prefix = ""

    def __init__(self, config: CSRConfig) -> None:
        super().__init__(config)
        self.emotion_encoder = MultitaskModel(config.emotion_encoder)
        self.siamese = SiameseNetwork(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.emotion_encoder.get_input_embeddings()

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
        labels: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | None = None,
        return_dict: bool | None = None,
    ) -> SiameseOutput | tuple:
        """Pass pairs of texts to get their distances, or single texts to get their embeddings.

        Args:
            input_ids, attention_mask, token_type_ids (`torch.LongTensor` of shape `(batch, 2, sequence)` for pairs,
                `(batch, sequence)` for single texts): The texts.
            emotion_representation (`torch.FloatTensor` of shape `(batch, 2, emotion_size)` or
                `(batch, emotion_size)`): P_E, in place of tokens.
            labels (`torch.FloatTensor` of shape `(batch,)`, *optional*): Target of each pair: 0 for the same emotion,
                1 for different ones, or a value in between.
            num_items_in_batch (`torch.Tensor`, *optional*): Number of pairs in the global batch; the loss is then this
                batch's share of the global loss.

        Raises:
            ValueError: If neither tokens nor representations are given, or labels are given for single texts.
        """
        if emotion_representation is None:
            if input_ids is None:
                raise ValueError("Pass input_ids or emotion_representation.")
            inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
            flat = {name: value.flatten(0, -2) for name, value in inputs.items() if value is not None}
            emotion_representation = self.emotion_encoder(**flat).representation.unflatten(0, input_ids.shape[:-1])
        embeddings = self.siamese.projection(emotion_representation)
        distances, loss = None, None
        if embeddings.dim() == 3:
            distances = self.siamese.distance(embeddings[:, 0], embeddings[:, 1])
        if labels is not None:
            if distances is None:
                raise ValueError("labels belong to pairs: pass inputs of shape (batch, 2, ...).")
            losses = self._pair_losses(distances, labels.float())
            loss = losses.sum() / (len(losses) if num_items_in_batch is None else num_items_in_batch)
        output = SiameseOutput(loss=loss, logits=distances, embeddings=embeddings)
        return output.to_tuple() if return_dict is False else output

    def _pair_losses(self, distances: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self.config.siamese_loss == "regression":
            return (distances - targets).square()
        apart = F.relu(self.config.siamese_margin - distances).square()
        return (1 - targets) * distances.square() + targets * apart


__all__ = ["SiameseModel"]
