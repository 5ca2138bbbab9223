"""Base class of the families that are built on one or more [`MultitaskModel`]s, whose texts share one tokenizer."""

from typing import cast

import torch
from torch import nn

from .modeling_multitask import MultitaskModel
from .pretrained_model import EmotionPreTrainedModel


class ComposedPreTrainedModel(EmotionPreTrainedModel):
    """What concerns all encoders of a model at once: its vocabulary, and embeddings passed in place of tokens."""

    @property
    def text_encoders(self) -> list[MultitaskModel]:
        """The encoders in the order in which they read a text; `get_input_embeddings` gives those of the first."""
        return [module for module in self.modules() if isinstance(module, MultitaskModel)]

    def get_input_embeddings(self) -> nn.Module:
        return self.text_encoders[0].get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the word embeddings of a model with a single encoder.

        Raises:
            ValueError: If there are several encoders, each of which has word embeddings of its own.
        """
        encoders = self.text_encoders
        if len(encoders) > 1:
            raise ValueError(
                f"The model has {len(encoders)} encoders with word embeddings of their own: change their size with "
                "resize_token_embeddings, or call set_input_embeddings on each of model.text_encoders."
            )
        encoders[0].set_input_embeddings(value)

    def resize_token_embeddings(
        self, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None, mean_resizing: bool = True
    ) -> nn.Embedding:
        """Resize the word embeddings of all encoders, since they share a tokenizer.

        Args:
            new_num_tokens (`int`, *optional*): Number of tokens, usually `len(tokenizer)`.
            pad_to_multiple_of (`int`, *optional*): Pads the number of rows to a multiple of this.
            mean_resizing (`bool`): Whether new rows are drawn around the mean of the old ones.

        Returns:
            `nn.Embedding`: The word embeddings of the first encoder.

        Raises:
            ValueError: If the word embeddings of an encoder cannot be resized; no encoder is changed then.
        """
        encoders = self.text_encoders
        for encoder in encoders:
            name, embeddings = encoder.config.encoder.model_type, encoder.get_input_embeddings()
            if not isinstance(embeddings, nn.Embedding):
                raise ValueError(f"The word embeddings of the {name} encoder cannot be resized: {embeddings}.")
            # Putting them where they are fails here, before anything has changed, for encoders that cannot do it.
            encoder.set_input_embeddings(embeddings)
        for encoder in encoders:
            encoder.resize_token_embeddings(new_num_tokens, pad_to_multiple_of, mean_resizing)
        # Encoders that share their weights share the new rows, too.
        self.tie_weights()
        return cast(nn.Embedding, self.get_input_embeddings())

    def check_embeds(self, input_ids: torch.Tensor | None, inputs_embeds: torch.Tensor | None) -> None:
        """Check embeddings of shape `(..., width)` that are passed in place of tokens to all encoders.

        Raises:
            ValueError: If there are tokens as well, or an encoder has embeddings of another width.
        """
        if inputs_embeds is None:
            return
        if input_ids is not None:
            raise ValueError("Pass either input_ids or inputs_embeds, not both.")
        embeddings = [encoder.get_input_embeddings() for encoder in self.text_encoders]
        widths = [one.embedding_dim for one in embeddings if isinstance(one, nn.Embedding)]
        if any(width != inputs_embeds.shape[-1] for width in widths):
            raise ValueError(
                f"inputs_embeds are {inputs_embeds.shape[-1]} wide, but the word embeddings of the model's encoders "
                f"are {', '.join(map(str, widths))}: all encoders have to be able to read them. Pass input_ids instead."
            )


__all__ = ["ComposedPreTrainedModel"]
