"""Samples and splits in which every label is about as frequent as in the whole."""

from collections.abc import Hashable, Sequence
from itertools import combinations, cycle

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold


def stratified_sample(labels: np.ndarray, size: int | float, seed: int = 42) -> np.ndarray:
    """Draw texts so that each label keeps its share, by iterative stratification (Sechidis et al. 2011, *On the
    Stratification of Multi-Label Data*), and so does each pair of labels (Szymański and Kajdanowicz 2017, *A Network
    Perspective on Stratification of Multi-Label Data*).

    Samples with the same seed are nested: a smaller one is part of every larger one. Having no label counts as one
    more label; a class id below 0 is a class like any other.

    Args:
        labels (`np.ndarray`): Multi-hot labels `(texts, num_labels)` or class ids `(texts,)`.
        size (`int` or `float`): How many texts, or which share of them (over 0, up to 1.0); at least one text.
        seed (`int`, defaults to 42): The sample is the same for the same seed.

    Returns:
        `np.ndarray` of shape `(size,)`: Row numbers, ascending.

    Raises:
        ValueError: If `labels` is empty or holds anything but 0 and 1 or class ids, or `size` does not fit it.
    """
    strata = _strata(labels)
    if isinstance(size, (float, np.floating)):
        if not 0 < size <= 1:
            raise ValueError(f"size as a share must be over 0 and at most 1.0, got {size}; pass a count as an int.")
        size = max(1, round(size * len(strata)))
    elif not 1 <= size <= len(strata):
        raise ValueError(f"size must be between 1 and the number of texts, {len(strata)}, got {size}.")
    return _draw(strata, int(size), seed)


def stratified_split(
    labels: np.ndarray, fraction: float, seed: int = 42, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split texts in two so that each label keeps its share in both parts, as in [`stratified_sample`].

    Args:
        labels (`np.ndarray`): Multi-hot labels `(texts, num_labels)` or class ids `(texts,)`.
        fraction (`float`): Share of the texts, or of the groups, that is split off; both parts get at least one.
        seed (`int`, defaults to 42): The split is the same for the same seed.
        groups (`np.ndarray` of shape `(texts,)`, *optional*): What must not be separated, such as the text itself or
            its author: rows of equal value stay on one side.

    Returns:
        `tuple[np.ndarray, np.ndarray]`: Ascending row numbers of the texts that remain (the larger part if
        `fraction` is below a half) and of those split off.

    Raises:
        ValueError: If an argument is not valid, or there are fewer than two texts or groups.
    """
    strata = _strata(labels)
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction}.")
    strata, members = (strata, np.arange(len(strata))) if groups is None else _grouped(strata, groups)
    if len(strata) < 2:
        raise ValueError(f"{'labels' if groups is None else 'groups'} must hold at least two to be split, got one.")
    size = min(max(1, round(fraction * len(strata))), len(strata) - 1)
    split_off = np.isin(members, _draw(strata, size, seed))
    return np.flatnonzero(~split_off), np.flatnonzero(split_off)


def stratified_folds(
    labels: np.ndarray, folds: int, seed: int = 42, groups: np.ndarray | Sequence[Hashable] | None = None
) -> np.ndarray:
    """Divide texts into parts of about the same size and labels, as in [`stratified_sample`], for cross-validation.

    Args:
        labels (`np.ndarray`): Multi-hot labels `(texts, num_labels)` or class ids `(texts,)`.
        folds (`int`): How many parts, at least two.
        seed (`int`, defaults to 42): The parts are the same for the same seed.
        groups (`Sequence` of length `texts`, *optional*): As in [`stratified_split`].

    Returns:
        `np.ndarray` of shape `(texts,)`: The part of each text, from 0.

    Raises:
        ValueError: If an argument is not valid, or there are fewer texts or groups than parts.
    """
    strata = _strata(labels)
    strata, members = (strata, np.arange(len(strata))) if groups is None else _grouped(strata, groups)
    if not 2 <= folds <= len(strata):
        what = "texts" if groups is None else "groups"
        raise ValueError(f"folds must be between 2 and the number of {what}, {len(strata)}, got {folds}.")
    splitter = MultilabelStratifiedKFold(folds, shuffle=True, random_state=np.random.RandomState(seed))
    parts = np.empty(len(strata), dtype=np.int64)
    for number, (_, rows) in enumerate(splitter.split(strata, strata)):
        parts[rows] = number
    return parts[members]


def random_sample(texts: int, size: int, seed: int = 42) -> np.ndarray:
    """Draw texts at random, for data with scores instead of labels. Samples with the same seed are nested.

    Args:
        texts (`int`): How many texts there are.
        size (`int`): How many are drawn.
        seed (`int`, defaults to 42): The sample is the same for the same seed.

    Returns:
        `np.ndarray` of shape `(size,)`: Row numbers, ascending.
    """
    return np.sort(np.random.RandomState(seed).permutation(texts)[:size])


def _strata(labels: np.ndarray) -> np.ndarray:
    """Membership of each text in each stratum, as booleans: a label, no label, a pair of labels."""
    labels = np.asarray(labels)
    if labels.ndim not in (1, 2) or not labels.size:
        raise ValueError(
            f"labels must be of shape (texts,) or (texts, num_labels) with at least one text, got {labels.shape}."
        )
    if labels.dtype.kind not in "biuf":
        raise ValueError(f"labels must be numbers, got {labels.dtype}.")
    if np.isnan(labels).any():
        raise ValueError(f"labels must not be NaN, as in row {np.argwhere(np.isnan(labels))[0, 0]}; drop such texts.")
    if labels.ndim == 2 and not ((labels == 0) | (labels == 1)).all():
        raise ValueError("labels of shape (texts, num_labels) must be 0 or 1.")
    if labels.ndim == 1 and (labels != np.floor(labels)).any():
        raise ValueError("labels of shape (texts,) must be class ids, that is whole numbers.")
    # Class ids become one-hot: scikit-learn's own splitters refuse classes of one text and parts smaller than the
    # number of classes; iterative stratification accepts both.
    sets = labels.astype(bool) if labels.ndim == 2 else labels[:, None] == np.unique(labels)
    # Without the pairs, parts differ in size, and evening that out costs the frequent labels their share: in 1 % of
    # E-c (68 texts) they would be up to 6 texts off instead of up to 3.
    pairs = [] if labels.ndim == 1 else [both for a, b in combinations(sets.T, 2) if (both := a & b).any()]
    return np.column_stack([sets, ~sets.any(axis=1), *pairs])


def _grouped(strata: np.ndarray, groups: Sequence[Hashable] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The strata of groups, and the number of each text's group: for each stratum of texts, the groups with at least 1,
    2, 4, ... of them. All texts together are a stratum, too, so that large groups are spread as well."""
    groups = np.asarray(groups)
    if groups.shape != (len(strata),):
        raise ValueError(f"groups must hold one value for each of {len(strata)} texts, got {groups.shape}.")
    members = np.unique(groups, return_inverse=True)[1]
    strata = np.column_stack([strata, np.ones(len(strata), dtype=bool)])
    counts = np.zeros((members.max() + 1, strata.shape[1]), dtype=np.int64)
    np.add.at(counts, members, strata)
    levels = 2 ** np.arange(int(counts.max()).bit_length())
    return (counts[:, None] >= levels[:, None]).reshape(len(counts), -1), members


def _draw(strata: np.ndarray, size: int, seed: int) -> np.ndarray:
    """The first `size` rows, ascending, of an order that depends only on the strata and the seed."""
    # The order: two stratified halves, each cut into fifths, those into halves, and so on. Parts are taken whole while
    # they fit, and only the one in which the sample ends is cut further. So samples are nested, their size is exact
    # whatever the library makes of its parts, and 50, 10, 5 and 1 % are (nearly) whole parts.
    rng = np.random.RandomState(seed)
    rows, taken = np.arange(len(strata)), []
    cuts = cycle((2, 5))
    while size < len(rows):
        splitter = MultilabelStratifiedKFold(min(next(cuts), len(rows)), shuffle=True, random_state=rng)
        parts = [rows[part] for _, part in splitter.split(rows, strata[rows])]
        while size > len(parts[0]):
            taken.append(parts.pop(0))
            size -= len(taken[-1])
        rows = parts[0]
    return np.sort(np.concatenate([*taken, rows]))


__all__ = ["random_sample", "stratified_folds", "stratified_sample", "stratified_split"]
