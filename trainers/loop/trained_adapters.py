"""The LoRA adapters that a Trainer trains in place of the encoders' own weights."""

from pathlib import Path
from typing import Any

from torch import nn
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from modeling_csr import (
    ADAPTER_FOLDER,
    Adapter,
    MultitaskForSequenceClassification,
    MultitaskModel,
    add_adapter,
    lora_options,
    merge_adapter,
)


class TrainedAdapters(TrainerCallback):
    """Adapters in all encoders of a model that are trained, merged when the training is over.

    Encoders that have an adapter already, those of a common space on one backbone, keep it, and it is not merged.

    Args:
        model (`PreTrainedModel`): The model, with frozen what is not trained.
        peft_config (`peft.LoraConfig` or `Mapping`): Options of the adapters.

    Raises:
        ValueError: If no encoder is trained, or the options do not fit one.
    """

    def __init__(self, model: PreTrainedModel, peft_config: Any) -> None:
        self.model = model
        self._adapted: list[tuple[PreTrainedModel, nn.Module, dict[str, Any]]] = []
        self._merged = False
        # What is trained without adapters, and again once they are merged.
        self._trainable = [part for part in model.parameters() if part.requires_grad]
        self._extracted: Adapter | None = None
        trained = trained_encoders(model)
        if not trained:
            raise ValueError("peft_config is for stages that train an encoder, and this one trains none.")
        for owner, encoder in trained:
            if getattr(owner.config, "adapter", None) is not None:
                continue
            options = lora_options(peft_config, encoder)
            if isinstance(owner, MultitaskModel):
                with_adapter(owner, options)
            else:
                add_adapter(encoder, options, "default")
            self._adapted.append((owner, encoder, options))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._merged:
            raise ValueError("The adapters of this Trainer are merged. To train further, build another Trainer.")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.merge()

    def merge(self) -> None:
        """Merge the adapters into their encoders, so that the model needs no peft. That of a classifier with a single
        encoder is copied before, for [`~TrainedAdapters.save`]."""
        for owner, encoder, options in self._adapted:
            if isinstance(self.model, MultitaskForSequenceClassification):
                self._extracted = Adapter.of(encoder, options, owner.config.adapter_name)
            merge_adapter(encoder)
            if isinstance(owner, MultitaskModel):
                owner.config.adapter = owner.config.adapter_name = None
        if self._adapted:
            self._merged = True
            for part in self._trainable:
                part.requires_grad_(True)
        self._adapted = []

    def save(self, folder: Path, tokenizer: PreTrainedTokenizerBase | None) -> None:
        """Write the adapter into its own folder below the model's, once it is merged."""
        if self._extracted is None:
            return
        self._extracted.save(folder / ADAPTER_FOLDER, self.model)
        if tokenizer is not None:
            tokenizer.save_pretrained(folder / ADAPTER_FOLDER)


def trained_encoders(model: PreTrainedModel) -> list[tuple[PreTrainedModel, nn.Module]]:
    """The text encoders of a model that are trained, each with the model that owns it."""
    encoders: list[tuple[PreTrainedModel, nn.Module]] = [
        (one, one.encoder) for one in model.modules() if isinstance(one, MultitaskModel)
    ]
    found = encoders or [(model, model.base_model)]
    return [(one, encoder) for one, encoder in found if any(part.requires_grad for part in encoder.parameters())]


def with_adapter(model: MultitaskModel, peft_config: Any) -> MultitaskModel:
    """Add an adapter named after the model's main task to its encoder, and to its config, so that it loads as it is."""
    options = lora_options(peft_config, model.encoder)
    name = model.config.main_task or "default"
    add_adapter(model.encoder, options, name)
    model.config.adapter, model.config.adapter_name = options, name
    return model
