"""The losses between two logs, which a checkpoint has to remember."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..data import write_json

LOSSES_NAME = "losses_since_log.json"


class LossWindow(TrainerCallback):
    """Sums the losses that a model names from one log to the next, and carries all sums over an interruption.

    A resumed training therefore logs the same losses as an uninterrupted one, `loss` included, of which the stock
    Trainer forgets the steps between its last log and the checkpoint.

    Args:
        trainer (`Trainer`): The Trainer whose losses they are.

    Attributes:
        checkpoint (`Path`, *optional*): The checkpoint from which the training resumes.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer: Any = trainer
        self._sums: dict[str, torch.Tensor] = {}
        self._since = 0
        self.checkpoint: Path | None = None

    def add(self, losses: Mapping[str, torch.Tensor], scale: float) -> None:
        """Add the losses of a batch, on this process."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.detach() * scale

    def means(self) -> dict[str, float]:
        """Means over the steps since the last call and over the processes."""
        step = self._trainer.state.global_step
        steps = max(step - self._since, 1)
        found = {name: sum(values) / len(values) / steps for name, values in self._gathered(self._sums).items()}
        self._sums, self._since = {}, step
        return found

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps: by loss, the sum of each process. All processes have to call this."""
        trainer = self._trainer
        sums = self._gathered({"loss": trainer._tr_loss, **self._sums})
        return {"since": trainer._globalstep_last_logged, "sums": sums}

    def save(self, state: Mapping[str, Any], folder: Path) -> None:
        """Write a state into a checkpoint."""
        write_json(folder / LOSSES_NAME, state)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._sums, self._since = {}, state.global_step
        path = self.checkpoint / LOSSES_NAME if self.checkpoint else None
        self.checkpoint = None
        if path is None or not path.is_file():
            return
        found = json.loads(path.read_text(encoding="utf-8"))
        sums = {name: self._of_this_process(values) for name, values in found["sums"].items()}
        trainer = self._trainer
        trainer._tr_loss += sums.pop("loss")
        self._sums, self._since = sums, found["since"]
        trainer._globalstep_last_logged = found["since"]

    def _gathered(self, sums: Mapping[str, torch.Tensor]) -> dict[str, list[float]]:
        return {name: self._trainer.accelerator.gather(value).reshape(-1).tolist() for name, value in sums.items()}

    def _of_this_process(self, values: list[float]) -> torch.Tensor:
        args = self._trainer.args
        # With another number of processes, their mean stays the same.
        own = values[args.process_index] if len(values) == args.world_size else sum(values) / len(values)
        return torch.tensor(own, device=args.device)
