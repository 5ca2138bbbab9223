"""Draws of few labelled texts, so many per label or so many in all; smaller ones are parts of larger ones of a kind."""

import numpy as np

from trainers.data import stratified_sample

# Up to here a size is per label, above it is in all.
MOST_PER_LABEL = 64


def draw_texts(targets: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Draw `size` texts per label up to [`MOST_PER_LABEL`], or above that `size` texts in all, stratified by label.

    Args:
        targets (`np.ndarray`): Class ids `(texts,)`, or 0 and 1 `(texts, labels)`.
        size (`int`): How many.
        seed (`int`): The draw is the same for the same seed.

    Returns:
        `np.ndarray`: Row numbers, ascending.
    """
    return draw_per_label(targets, size, seed) if size <= MOST_PER_LABEL else stratified_sample(targets, size, seed)


def draw_per_label(targets: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Draw texts until each label has `size` of them, or all that there are; of a text's labels each counts.

    Round by round, each label that has too few gets the next text with it of a random order, the rarest label first.
    """
    given = targets > 0 if targets.ndim == 2 else targets[:, None] == np.arange(targets.max() + 1)
    order = np.random.default_rng(seed).permutation(len(given))
    queues = {label: iter(order[given[order, label]]) for label in np.argsort(given.sum(axis=0), kind="stable")}
    drawn = np.zeros(len(given), dtype=bool)
    for number in range(1, size + 1):
        for label, queue in queues.items():
            if given[drawn, label].sum() < number:
                row = next((row for row in queue if not drawn[row]), None)
                if row is not None:
                    drawn[row] = True
    return np.flatnonzero(drawn)
