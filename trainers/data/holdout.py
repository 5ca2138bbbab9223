"""A dev split where none was published: part of the texts, or one fold of the groups."""

import hashlib
import logging
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from .sampling import stratified_split

logger = logging.getLogger(__name__)


def split_off_dev(
    rows: list[dict[str, Any]], fraction: float, seed: int, source: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split a dev part off, stratified by label, and say so in a warning. A text that stands there twice stays on one
    side, and so does a dialogue.

    Args:
        rows (`list[dict]`): Rows of `text` and `labels` (a class id, 0 and 1, one per label, or scores), and
            `dialogue_id` where they are utterances.
        fraction (`float`): Part of the different texts, or of the dialogues, that becomes dev; at least one, and at
            most all but one.
        seed (`int`): Seed of the draw.
        source (`str`): What messages call the data.

    Returns:
        `tuple[list[dict], list[dict]]`: train and dev, each in the order of `rows`.

    Raises:
        ValueError: If there are fewer than two different texts or dialogues.
    """
    group = "dialogue_id" if "dialogue_id" in rows[0] else "text"
    groups = np.array([row[group] for row in rows], dtype=object)
    different = len(set(groups))
    if different < 2:
        raise too_few_to_split(source, different, group)
    labels = np.array([row["labels"] for row in rows])
    if not ((labels == 0) | (labels == 1)).all() and labels.ndim == 2:
        labels = np.zeros(len(rows), dtype=np.int64)  # scores: there is nothing to stratify by
    train, dev = stratified_split(labels, fraction, seed, groups=groups)
    logger.warning(
        "%s has no dev split: %d of its %d rows, drawn by label with seed %d, are held out as dev.",
        source,
        len(dev),
        len(rows),
        seed,
    )
    return [rows[i] for i in train], [rows[i] for i in dev]


def is_held_out(group: str, fraction: float, seed: int) -> bool:
    """Whether a text belongs to the dev part, for data of which not all rows are at hand: its hash decides, so that a
    text that stands there twice stays on one side.

    Args:
        group (`str`): The text, or the dialogue that it stands in.
        fraction (`float`): Part of the different texts that becomes dev, about.
        seed (`int`): Another seed draws other texts.
    """
    found = hashlib.sha256(f"{seed}\n{group}".encode()).digest()[:8]
    return int.from_bytes(found, "big") < fraction * 2**64


def too_few_to_split(source: str, different: int, group: str) -> ValueError:
    """The error where fewer than two different texts, or dialogues, are to be divided."""
    what = "texts" if group == "text" else "dialogues"
    return ValueError(f"{source} holds {different} different {what}: too few to split a dev split off.")


def split_off_fold(
    rows: list[dict[str, Any]], folds: int, fold: int, seed: int, source: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split one fold off as dev, and say so in a warning. No group is on both sides.

    Args:
        rows (`list[dict]`): Rows of `text`, `labels` (`int`) and `group`.
        folds (`int`): How many folds there are, of groups chosen at random and with about the same labels in each;
            where there are as many groups as folds, each is one, in alphabetical order.
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
    if different == folds:
        dev = np.flatnonzero(np.array(groups) == sorted(set(groups))[fold])
        train = np.setdiff1d(np.arange(len(rows)), dev)
    else:
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
