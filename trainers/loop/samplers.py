"""The order in which training texts are drawn."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import datasets
import pyarrow.compute as pc
import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices


class LengthGroupedBatches(Sampler[int]):
    """Fills global batches with texts of similar length; the batches come in random order.

    The order depends on seed and epoch alone. The stock sampler of transformers draws from the global random state,
    which dropout advances, so that training resumed in the middle of an epoch, or run in several processes, would see
    different batches. It also goes from long to short texts in stretches of fifty batches.

    Args:
        lengths (`Sequence[int]`): Number of tokens of each text.
        batch_size (`int`): Texts per global batch.
        seed (`int`): Determines the order, which differs from epoch to epoch.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = list(lengths), batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def set_epoch(self, epoch: int) -> None:
        """Select the epoch whose order the next iteration uses."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = get_length_grouped_indices(self.lengths, self.batch_size, generator=generator)
        whole = len(order) // self.batch_size * self.batch_size
        batches = torch.tensor(order[:whole], dtype=torch.long).view(-1, self.batch_size)
        # An incomplete batch stays last.
        yield from batches[torch.randperm(len(batches), generator=generator)].flatten().tolist()
        yield from order[whole:]


class TaskBatches(Sampler[int]):
    """Fills each global batch with texts of one task; the batches of all tasks come in random order.

    Each task gets as many batches as its texts fill. The texts left over, less than a batch per task, come last, in
    batches that may mix tasks.

    Args:
        tasks (`Sequence[str]`): The task of each text.
        lengths (`Sequence[int]`, *optional*): Number of tokens of each text. If given, batches hold texts of similar
            length.
        batch_size (`int`): Texts per global batch.
        seed (`int`): Determines the order, which differs from epoch to epoch.
    """

    def __init__(self, tasks: Sequence[str], lengths: Sequence[int] | None, batch_size: int, seed: int) -> None:
        self.rows = {task: [row for row, name in enumerate(tasks) if name == task] for task in dict.fromkeys(tasks)}
        self.lengths = list(lengths) if lengths is not None else None
        self.batch_size, self.seed, self.epoch = batch_size, seed, 0

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))

    def set_epoch(self, epoch: int) -> None:
        """Select the epoch whose order the next iteration uses."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        batches: list[list[int]] = []
        rest: list[int] = []
        for rows in self.rows.values():
            if self.lengths is None:
                order = torch.randperm(len(rows), generator=generator).tolist()
            else:
                lengths = [self.lengths[row] for row in rows]
                order = get_length_grouped_indices(lengths, self.batch_size, generator=generator)
            whole = len(rows) // self.batch_size * self.batch_size
            batches += [
                [rows[index] for index in order[start : start + self.batch_size]]
                for start in range(0, whole, self.batch_size)
            ]
            rest += [rows[index] for index in order[whole:]]
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield from batches[index]
        yield from rest


def text_lengths(dataset: datasets.Dataset | Iterable[Mapping[str, Any]]) -> list[int]:
    """Number of tokens of each text. Tables on disk may exceed memory, so their rows never become Python objects."""
    if not isinstance(dataset, datasets.Dataset):
        return [len(row["input_ids"]) for row in dataset]
    tables = dataset.select_columns("input_ids").with_format("arrow").iter(batch_size=10_000)
    return [length for table in tables for length in pc.list_value_length(table["input_ids"]).to_pylist()]
