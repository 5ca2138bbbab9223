"""Encoders that are adapters of one frozen text encoder, which a model holds once."""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from .adapters import share_weights, shared_names
from .modeling_multitask import MultitaskModel


class SharedBackboneMixin(PreTrainedModel):
    """Mixin for [`CSRModel`]: what `config.shared_backbone` means for its encoders."""

    emotion_encoder: MultitaskModel
    source_encoders: nn.ModuleList

    def share_backbone(self) -> None:
        """With `config.shared_backbone`, let the source encoders use the weights of the emotion encoder's backbone.

        The modules stay apart, so that encoders are read without any state of which adapter is active: from several
        threads, compiled, or with activation checkpointing.
        """
        if not self.config.shared_backbone:
            return
        owner, tied = self.emotion_encoder.encoder, {}
        for number, source in enumerate(self.source_encoders):
            share_weights(source.encoder, owner)
            for path, other in shared_names(source.encoder, owner).items():
                tied[f"source_encoders.{number}.encoder.{path}"] = f"emotion_encoder.encoder.{other}"
        # By these, transformers saves the weights once and shares them again when the model is loaded.
        self._tied_weights_keys = tied

    def get_expanded_tied_weights_keys(self, all_submodels: bool = False) -> dict[str, str]:
        """As in transformers, whose own method heeds nothing but tied word embeddings."""
        if all_submodels:
            return super().get_expanded_tied_weights_keys(all_submodels=True)
        return dict(self._tied_weights_keys or {})

    def add_source(self, name: str, adapter: Any, **kwargs: Any) -> None:
        """Add an encoder to a common space with a shared backbone: a further adapter.

        The common space reads it with weights of zero, so that the model's outputs stay as they are until it is trained
        again.

        Args:
            name (`str`): Name of the adapter in this model.
            adapter (`str` or `os.PathLike`): Folder or repository of the adapter.
            **kwargs: Further arguments of `from_pretrained`, such as `revision` or `token`.

        Raises:
            ValueError: If the model has no shared backbone or already an adapter of this name, or the adapter was
                trained on another encoder.
        """
        config: Any = self.config
        owner: Any = self.emotion_encoder.encoder
        encoders: Any = self.source_encoders
        if not config.shared_backbone:
            raise ValueError("add_source adds an adapter to a shared backbone; this model's encoders have none.")
        names = [encoder.config.adapter_name for encoder in self.text_encoders]
        if name in names:
            raise ValueError(f"The backbone already has an adapter {name!r}; its adapters are {', '.join(names)}.")
        source: Any = MultitaskModel.from_pretrained(adapter, backbone=owner, adapter_name=name, **kwargs)
        encoders.append(source.to(owner.device))
        config.source_encoders = [*config.source_encoders, source.config]
        self.share_backbone()
        network: Any = self.common_encoder
        first = network[0]
        emotion_size = config.emotion_encoder.representation_size
        sources = first.in_features - emotion_size
        before, after = first.weight.data.split([sources, emotion_size], dim=1)
        added = first.weight.new_zeros(first.out_features, source.config.representation_size)
        first.weight = nn.Parameter(torch.cat([before, added, after], dim=1))
        first.in_features = first.weight.shape[1]


__all__ = ["SharedBackboneMixin"]
