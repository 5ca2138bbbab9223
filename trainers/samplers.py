"""The order in which training texts are drawn."""

from collections.abc import Iterator, Sequence

import datasets
import pyarrow.compute as pc
import torch
from torch.utils.data import Dataset, Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices


class LengthGroupedBatches(Sampler[int]):
    """Texts of about the same length stand in one global batch; the batches come in random order.

    The stock sampler of transformers takes its order from the global random numbers, which dropout moves on: a training
    that goes on in the middle of an epoch, or in several processes, would see other batches. Here the order follows
    from seed and epoch alone. The stock one also goes from long to short texts in stretches of fifty batches.

    Args:
        lengths (`Sequence[int]`): Tokens of each text.
        batch_size (`int`): Texts in a global batch.
        seed (`int`): Each epoch has an order of its own, the same for the same seed.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = list(lengths), batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def set_epoch(self, epoch: int) -> None:
        """Which epoch's order the next iteration has."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = get_length_grouped_indices(self.lengths, self.batch_size, generator=generator)
        whole = len(order) // self.batch_size * self.batch_size
        batches = torch.tensor(order[:whole], dtype=torch.long).view(-1, self.batch_size)
        # A last batch that is not full stays last.
        yield from batches[torch.randperm(len(batches), generator=generator)].flatten().tolist()
        yield from order[whole:]


def text_lengths(dataset: Dataset) -> list[int]:
    """Tokens of each text. Of a table on disk no row becomes a Python object: it may be larger than memory."""
    if not isinstance(dataset, datasets.Dataset):
        return [len(row["input_ids"]) for row in dataset]
    tables = dataset.select_columns("input_ids").with_format("arrow").iter(batch_size=10_000)
    return [length for table in tables for length in pc.list_value_length(table["input_ids"]).to_pylist()]
