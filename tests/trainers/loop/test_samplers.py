"""Tests of the order in which training texts are drawn."""

from itertools import pairwise

import datasets
import torch

from trainers.loop.samplers import LengthGroupedBatches, text_lengths

LENGTHS = [(7 * row) % 50 + 3 for row in range(1003)]


def batches(sampler: LengthGroupedBatches, size: int = 16) -> list[list[int]]:
    order = list(sampler)
    return [order[start : start + size] for start in range(0, len(order), size)]


def test_every_text_once_an_epoch() -> None:
    sampler = LengthGroupedBatches(LENGTHS, 16, seed=1)
    assert len(sampler) == 1003
    for epoch in range(3):
        sampler.set_epoch(epoch)
        assert sorted(sampler) == list(range(1003))


def test_batches_hold_texts_of_like_length() -> None:
    def padding(order: list[list[int]]) -> int:
        return sum(
            max(LENGTHS[row] for row in batch) * len(batch) - sum(LENGTHS[row] for row in batch) for batch in order
        )

    grouped = batches(LengthGroupedBatches(LENGTHS, 16, seed=1))
    drawn = torch.randperm(1003, generator=torch.Generator().manual_seed(1)).tolist()
    at_random = [drawn[start : start + 16] for start in range(0, 1003, 16)]
    assert padding(grouped) < padding(at_random) / 5


def test_batches_come_in_random_order() -> None:
    """Not from long to short, as within the stretches that the grouping sorts."""
    means = [sum(LENGTHS[row] for row in batch) / len(batch) for batch in batches(LengthGroupedBatches(LENGTHS, 16, 1))]
    falling = sum(after < before for before, after in pairwise(means))
    assert 0.3 < falling / len(means) < 0.7


def test_order_follows_from_seed_and_epoch_alone() -> None:
    sampler = LengthGroupedBatches(LENGTHS, 16, seed=1)
    first = list(sampler)
    torch.rand(100)
    assert list(sampler) == first
    sampler.set_epoch(1)
    second = list(sampler)
    assert second != first
    # A training that goes on in the second epoch sees what one saw that came there on its own.
    resumed = LengthGroupedBatches(LENGTHS, 16, seed=1)
    resumed.set_epoch(1)
    assert list(resumed) == second
    assert list(LengthGroupedBatches(LENGTHS, 16, seed=2)) != first


def test_fewer_texts_than_a_batch() -> None:
    assert sorted(LengthGroupedBatches([3, 5, 4], 16, seed=0)) == [0, 1, 2]


def test_lengths_of_tables_and_of_lists() -> None:
    rows = [{"input_ids": [1] * length, "labels_emotion": 0} for length in (3, 0, 7, 2)]
    table = datasets.Dataset.from_list(rows)
    assert text_lengths(rows) == text_lengths(table) == [3, 0, 7, 2]
    # A table can be a selection of the rows of another.
    assert text_lengths(table.select([2, 0])) == [7, 3]
