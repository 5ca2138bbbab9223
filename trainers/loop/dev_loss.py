"""The loss over all dev rows, however they are split into batches and processes."""

from typing import Any

import torch
from accelerate.utils import recursively_apply
from transformers import Trainer


class DevLoss:
    """Sums the losses of dev batches, each weighted by its labelled rows.

    The stock Trainer averages the losses of batches by their size, which is not the mean over the labelled rows if some
    are unlabelled, and counts the rows by which accelerate fills up the last batch.

    Args:
        trainer (`Trainer`): The Trainer that evaluates.

    Attributes:
        labelled (`dict[str, torch.Tensor]`): Labelled rows of the current batch on this process, by task.
        parts (`dict[str, torch.Tensor]`): The parts of its loss by task; empty if there is one task.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer: Any = trainer
        self._sums: dict[str, torch.Tensor] = {}
        self._rows: dict[str, torch.Tensor] = {}
        self.labelled: dict[str, torch.Tensor] = {}
        self.parts: dict[str, torch.Tensor] = {}

    def own_rows(self, size: int) -> int:
        """How many of the `size` rows of the current batch are this process's own, and do not fill it up."""
        trainer = self._trainer
        state = trainer.accelerator.gradient_state
        if trainer.args.world_size == 1 or not state.end_of_dataloader or state.remainder <= 0:
            return size
        return min(max(state.remainder - trainer.args.eval_batch_size * trainer.args.process_index, 0), size)

    def add(self, loss: torch.Tensor, counts: bool) -> None:
        """Add the mean loss of a batch, unless none of its rows counts."""
        for task, rows in self.labelled.items():
            rows = rows * counts
            mean = self.parts.get(task, loss).detach().float()
            self._sums[task] = self._sums.get(task, 0.0) + mean * rows
            self._rows[task] = self._rows.get(task, 0.0) + rows

    def mean(self) -> float | None:
        """The loss over all rows of all processes; `None` if they have no labels."""
        if not self._sums:
            return None
        sums, rows = (
            self._trainer.accelerator.reduce(torch.stack(list(values.values()))) for values in (self._sums, self._rows)
        )
        return (sums / rows.where(rows > 0, 1)).sum().item()


def first_rows(batch: Any, rows: int) -> Any:
    """The first rows of all tensors in a batch."""
    return recursively_apply(lambda tensor: tensor[:rows], batch)


def filled_up(batch: Any, size: int) -> Any:
    """A batch of `size` rows, by repeating the last one in all of its tensors."""
    return recursively_apply(
        lambda tensor: torch.cat([tensor, tensor[-1:].expand(size - len(tensor), *tensor.shape[1:])]), batch
    )
