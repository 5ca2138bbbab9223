"""Base class of all model families: saving, and how frozen submodules behave in training."""

from pathlib import Path
from typing import Any, ClassVar, Self

from torch import nn
from transformers import PreTrainedModel

from .adapters import PEFT_REQUIREMENT, freeze_below_adapter
from .pipeline_emotion import named_pipelines

# Inference endpoints install what it names before they load a model.
REQUIREMENTS_NAME = "requirements.txt"


def eval_frozen(module: nn.Module) -> None:
    """Put frozen submodules into eval mode, so that a frozen encoder applies no dropout."""
    for child in module.children():
        trained = [parameter.requires_grad for parameter in child.parameters()]
        if trained and not any(trained):
            child.eval()
        elif trained and not all(trained):
            eval_frozen(child)


class EmotionPreTrainedModel(PreTrainedModel):
    """Base class of the `PreTrainedModel` of every family.

    Attributes:
        auto_classes (`dict[str, str]`): Maps each Auto class to the family's `module.Class`.
    """

    auto_classes: ClassVar[dict[str, str]]
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    # Losses are means over rows; our Trainers, which count rows, pass `num_items_in_batch` themselves.
    accepts_loss_kwargs = False

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Self:
        """As `PreTrainedModel.from_pretrained`, which would also train again what lies below an adapter."""
        loaded: Any = super().from_pretrained(*args, **kwargs)
        model: nn.Module = loaded[0] if isinstance(loaded, tuple) else loaded
        for part in model.modules():
            if hasattr(part, "peft_config"):
                freeze_below_adapter(part)
        return loaded

    def train(self, mode: bool = True) -> Self:
        """Set the mode of the model; frozen submodules stay in eval mode."""
        super().train(mode)
        if mode:
            eval_frozen(self)
        return self

    def requested(
        self, output_hidden_states: bool | None, output_attentions: bool | None, return_dict: bool | None
    ) -> tuple[bool, bool, bool]:
        """These arguments of `forward`, each as the config says where a call says nothing."""
        config = self.config
        return (
            bool(config.output_hidden_states if output_hidden_states is None else output_hidden_states),
            bool(config.output_attentions if output_attentions is None else output_attentions),
            bool(config.return_dict if return_dict is None else return_dict),
        )

    def save_pretrained(self, save_directory: str, **kwargs: Any) -> None:
        """Save the model. The config records the class for each Auto class and the pipelines of classifiers.

        If loading it needs peft, a `requirements.txt` says so.
        """
        self.config.auto_map = dict(self.auto_classes)
        with named_pipelines(self):
            super().save_pretrained(save_directory, **kwargs)
        adapted = any(hasattr(part, "peft_config") for part in self.modules())
        if adapted or getattr(self.config, "adapter_base", None):
            (Path(save_directory) / REQUIREMENTS_NAME).write_text(f"{PEFT_REQUIREMENT}\n", encoding="utf-8")


__all__ = ["REQUIREMENTS_NAME", "EmotionPreTrainedModel", "eval_frozen"]
