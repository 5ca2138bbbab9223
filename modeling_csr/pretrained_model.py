"""What the models of all families share: how they are saved, and how what is frozen behaves in training."""

from typing import Any, ClassVar, Self

from torch import nn
from transformers import PreTrainedModel

from .pipeline_emotion import named_pipelines


def eval_frozen(module: nn.Module) -> None:
    """Put the frozen submodules into eval mode (no dropout in a frozen encoder)."""
    for child in module.children():
        trained = [parameter.requires_grad for parameter in child.parameters()]
        if trained and not any(trained):
            child.eval()
        elif trained and not all(trained):
            eval_frozen(child)


class EmotionPreTrainedModel(PreTrainedModel):
    """The base of the families' base classes.

    Attributes:
        auto_classes (`dict[str, str]`): By Auto class, the family's class and the file it is in.
    """

    auto_classes: ClassVar[dict[str, str]]
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    # The losses are means over rows; a Trainer that knows about rows passes `num_items_in_batch` itself.
    accepts_loss_kwargs = False

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all parts but the frozen ones, which stay in eval mode."""
        super().train(mode)
        if mode:
            eval_frozen(self)
        return self

    def save_pretrained(self, save_directory: str, **kwargs: Any) -> None:
        """Save the model; the config names every class that the Auto classes may ask for (its own is added by it), and
        that of a classifier its pipelines."""
        self.config.auto_map = dict(self.auto_classes)
        with named_pipelines(self):
            super().save_pretrained(save_directory, **kwargs)
