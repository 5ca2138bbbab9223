"""Averages of the weights over training steps."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

AVERAGES_NAME = "averaged_weights.safetensors"


class WeightAveraging(TrainerCallback):
    """Gives the finished model an exponential moving average of its weights (Polyak and Juditsky, 1992).

    Frozen parameters are not averaged, and evaluations during training use the current weights. Checkpoints contain
    the averages so far ([`~WeightAveraging.save`]), so that an interrupted training resumes with them.

    Args:
        share (`float`): Share of all steps to average over: averaging starts after `share * steps` steps, and from then
            on each step has weight 1 / (share * steps).

    Attributes:
        checkpoint (`Path`, *optional*): The checkpoint from which the training resumes.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.checkpoint: Path | None = None
        self._parameters: dict[str, nn.Parameter] = {}
        self._averages: dict[str, torch.Tensor] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: nn.Module, **kwargs: Any
    ) -> None:
        self._parameters = {name: part for name, part in model.named_parameters() if part.requires_grad}
        self._averages = {}
        written = self.checkpoint / AVERAGES_NAME if self.checkpoint else None
        self.checkpoint = None
        if written is not None and written.is_file():
            found = load_file(written)
            self._averages = {name: found[name].to(part.device) for name, part in self._parameters.items()}

    @torch.no_grad()
    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        window = self.share * state.max_steps
        if state.global_step < window:
            return
        if not self._averages:
            self._averages = {name: part.detach().clone() for name, part in self._parameters.items()}
        weights = [part.detach() for part in self._parameters.values()]
        torch._foreach_lerp_(list(self._averages.values()), weights, 1 / max(window, 1))

    def save(self, folder: str | Path) -> None:
        """Write the averages so far, if any, into a checkpoint.

        The Trainer calls this when it writes the weights. `on_save` would be too late: the checkpoint already counts as
        complete by then, and a run killed in between would resume without its averages.

        Args:
            folder (`str` or `Path`): The checkpoint's folder.
        """
        if self._averages:
            save_file(self._averages, Path(folder) / AVERAGES_NAME)

    @torch.no_grad()
    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        for name, average in self._averages.items():
            self._parameters[name].copy_(average)
        self._averages = {}
