"""Pairs of texts for the Siamese network."""

from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

PAIR_STRATEGIES = ("random", "distinct", "balanced")
PAIR_TARGETS = ("label", "jaccard")


def sample_pairs(
    labels: np.ndarray, num_pairs: int, strategy: str = "random", target: str = "label", seed: int = 42
) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of labelled texts.

    A text with several labels stands once for each of them, as in the paper; texts without a label are left out.

    Args:
        labels (`np.ndarray`): Multi-hot labels `(texts, num_labels)` or class ids `(texts,)`.
        num_pairs (`int`): How many pairs.
        strategy (`str`): `"random"`: both halves drawn independently (the paper's better one). `"distinct"`: each
            labelled text is used equally often, by matching a shuffled list with itself. `"balanced"`: half of
            the pairs share the label.
        target (`str`): `"label"`: 0 where the two labels are the same, else 1. `"jaccard"`: 1 minus the overlap of
            the two texts' whole label sets.
        seed (`int`): The pairs are the same for the same seed.

    Returns:
        `tuple`: Row numbers of shape `(num_pairs, 2)`, never a text with itself, and targets `(num_pairs,)` in 0..1.

    Raises:
        ValueError: If an option is unknown or fewer than two texts have a label.
    """
    if strategy not in PAIR_STRATEGIES:
        raise ValueError(f"Pair strategy must be one of {', '.join(PAIR_STRATEGIES)}, got {strategy!r}.")
    if target not in PAIR_TARGETS:
        raise ValueError(f"Pair target must be one of {', '.join(PAIR_TARGETS)}, got {target!r}.")
    # A missing class id is negative, and so equal to no class.
    sets = labels if labels.ndim == 2 else (labels[:, None] == np.arange(labels.max() + 1)).astype(np.float32)
    texts, classes = np.nonzero(sets)
    if len(np.unique(texts)) < 2:
        raise ValueError("The Siamese stage needs at least two texts with a label.")
    rng = np.random.default_rng(seed)
    pairs: np.ndarray = np.empty((0, 2), dtype=np.int64)
    while len(pairs) < num_pairs:
        drawn = _draw(rng, strategy, classes, num_pairs)
        pairs = np.concatenate([pairs, drawn[texts[drawn[:, 0]] != texts[drawn[:, 1]]]])
    pairs = pairs[:num_pairs]
    rows = texts[pairs]
    if target == "label":
        return rows, (classes[pairs[:, 0]] != classes[pairs[:, 1]]).astype(np.float32)
    first, second = sets[rows[:, 0]], sets[rows[:, 1]]
    overlap = np.minimum(first, second).sum(axis=1) / np.maximum(first, second).sum(axis=1)
    return rows, (1 - overlap).astype(np.float32)


def _draw(rng: np.random.Generator, strategy: str, classes: np.ndarray, num_pairs: int) -> np.ndarray:
    """Index pairs into the expanded list; a text may still meet itself in them."""
    if strategy == "distinct":
        order = rng.permutation(len(classes))
        return order[: len(order) // 2 * 2].reshape(-1, 2)
    first = rng.integers(len(classes), size=num_pairs)
    second = rng.integers(len(classes), size=num_pairs)
    if strategy == "balanced":
        same = {label: np.flatnonzero(classes == label) for label in np.unique(classes)}
        different = {label: np.flatnonzero(classes != label) for label in same}
        for index, label in enumerate(classes[first]):
            second[index] = rng.choice((same if index % 2 or not len(different[label]) else different)[label])
    return np.stack([first, second], axis=1)


class PairDataset(Dataset):
    """Pairs of emotion representations with their targets.

    Args:
        representations (`np.ndarray` of shape `(texts, size)`): P_E of every text; may be memory-mapped.
        pairs (`np.ndarray` of shape `(pairs, 2)`): Row numbers.
        targets (`np.ndarray` of shape `(pairs,)`): 0 for the same emotion, 1 for different ones, or between.
    """

    def __init__(self, representations: np.ndarray, pairs: np.ndarray, targets: np.ndarray) -> None:
        self.representations, self.pairs, self.targets = representations, pairs, targets

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        pair = np.asarray(self.representations[self.pairs[index]])
        return {"emotion_representation": torch.from_numpy(pair), "labels": torch.tensor(self.targets[index])}
