"""A dev split where none was published: part of the texts, or one fold of the groups."""

import logging
import random
from typing import Any

from sklearn.model_selection import StratifiedGroupKFold

logger = logging.getLogger(__name__)


def split_off_dev(
    rows: list[dict[str, Any]], fraction: float, seed: int, source: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split a dev part off, and say so in a warning. A text that stands there twice stays on one side.

    Args:
        rows (`list[dict]`): Rows of `text` and `labels`.
        fraction (`float`): Part of the different texts that becomes dev; at least one text.
        seed (`int`): Seed of the shuffling that chooses them.
        source (`str`): What messages call the data.

    Returns:
        `tuple[list[dict], list[dict]]`: train and dev, each in the order of `rows`.

    Raises:
        ValueError: If nothing would be left to train on.
    """
    texts = list(dict.fromkeys(row["text"] for row in rows))
    size = max(1, round(fraction * len(texts)))
    if size >= len(texts):
        raise ValueError(f"{source} holds {len(texts)} different texts: too few to split a dev split off.")
    held_out = set(random.Random(seed).sample(texts, size))
    train = [row for row in rows if row["text"] not in held_out]
    dev = [row for row in rows if row["text"] in held_out]
    logger.warning(
        "%s has no dev split: %d of its %d rows, chosen at random with seed %d, are held out as dev.",
        source,
        len(dev),
        len(rows),
        seed,
    )
    return train, dev


def split_off_fold(
    rows: list[dict[str, Any]], folds: int, fold: int, seed: int, source: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split one fold off as dev, and say so in a warning. No group is on both sides.

    Args:
        rows (`list[dict]`): Rows of `text`, `labels` (`int`) and `group`.
        folds (`int`): How many folds there are, of groups chosen at random and with about the same labels in each.
        fold (`int`): Which of them becomes dev, from 0.
        seed (`int`): Seed of the shuffling.
        source (`str`): What messages call the data.

    Returns:
        `tuple[list[dict], list[dict]]`: train and dev, each in the order of `rows`.

    Raises:
        ValueError: If there is no such fold, or there are fewer groups than folds.
    """
    if not 0 <= fold < folds:
        raise ValueError(f"{source}: fold must lie between 0 and {folds - 1}, got {fold}.")
    groups = [row["group"] for row in rows]
    different = len(set(groups))
    if different < folds:
        raise ValueError(f"{source} holds rows of {different} groups: too few for {folds} folds.")
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    train, dev = list(splitter.split(groups, [row["labels"] for row in rows], groups))[fold]
    logger.warning(
        "%s has no dev split: fold %d of %d, %d of its %d rows, is held out as dev.",
        source,
        fold,
        folds,
        len(dev),
        len(rows),
    )
    return [rows[i] for i in train], [rows[i] for i in dev]
