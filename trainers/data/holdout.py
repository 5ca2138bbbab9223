"""Dev splits for data published without one: a stratified part of the texts, or one fold of the groups."""

import logging
from dataclasses import dataclass
from typing import Protocol

import datasets
import numpy as np
import pyarrow.compute as pc
from sklearn.model_selection import StratifiedGroupKFold

from .sampling import stratified_split
from .tables import BATCH_SIZE

logger = logging.getLogger(__name__)


class Holdout(Protocol):
    """Chooses the rows of train that become dev."""

    def dev_rows(self, rows: datasets.Dataset, source: str) -> np.ndarray:
        """Row numbers of dev, ascending. `source` is what messages call the data.

        Raises:
            ValueError: If the rows cannot be divided so.
        """
        ...


@dataclass(frozen=True)
class StratifiedHoldout:
    """
    Holds out a part of the texts, stratified by label. Repeated texts stay on one side, and so do dialogues.

    Args:
        fraction (`float`): Part of the different texts, or of the dialogues, that becomes dev; at least one, and at
            most all but one.
        seed (`int`): Seed of the draw.
    """

    fraction: float
    seed: int

    def dev_rows(self, rows: datasets.Dataset, source: str) -> np.ndarray:
        """Row numbers of dev. Of the texts themselves only their ranks are in memory.

        Args:
            rows (`Dataset`): Rows of `text` and `labels` (a class id, 0 and 1 per label, or scores), and `dialogue_id`
                where they are utterances.
            source (`str`): What messages call the data.

        Raises:
            ValueError: If there are fewer than two different texts or dialogues.
        """
        in_dialogues = "dialogue_id" in rows.column_names
        groups = _ranks(rows, "dialogue_id" if in_dialogues else "text")
        different = int(groups.max())
        if different < 2:
            what = "dialogues" if in_dialogues else "texts"
            raise ValueError(f"{source} holds {different} different {what}: too few to split a dev split off.")
        batches = rows.select_columns("labels").iter(batch_size=BATCH_SIZE)
        labels = np.concatenate([np.asarray(batch["labels"]) for batch in batches])
        if labels.ndim == 2:
            labels = np.nan_to_num(labels)  # what nobody annotated, such as utterances that are context alone
        if labels.ndim == 2 and not ((labels == 0) | (labels == 1)).all():
            labels = np.zeros(len(rows), dtype=np.int64)  # scores: there is nothing to stratify by
        dev = stratified_split(labels, self.fraction, self.seed, groups=groups)[1]
        logger.warning(
            "%s has no dev split: %d of its %d rows, drawn by label with seed %d, are held out as dev.",
            source,
            len(dev),
            len(rows),
            self.seed,
        )
        return dev


@dataclass(frozen=True)
class FoldHoldout:
    """
    Holds out one fold of the groups, such as the respondents of a survey; no group is on both sides.

    Args:
        folds (`int`): How many folds there are, of groups chosen at random with about the same labels in each. With as
            many groups as folds, each is one, in alphabetical order.
        fold (`int`): Which fold becomes dev, from 0.
        seed (`int`): Seed of the shuffling.
    """

    folds: int
    fold: int
    seed: int

    def dev_rows(self, rows: datasets.Dataset, source: str) -> np.ndarray:
        """Row numbers of dev.

        Args:
            rows (`Dataset`): Rows of `text`, `labels` (class ids) and `group`.
            source (`str`): What messages call the data.

        Raises:
            ValueError: If there is no such fold, or there are fewer groups than folds.
        """
        if not 0 <= self.fold < self.folds:
            raise ValueError(f"{source}: fold must lie between 0 and {self.folds - 1}, got {self.fold}.")
        groups = np.array(rows["group"][:])
        different = sorted(set(groups))
        if len(different) < self.folds:
            raise ValueError(f"{source} holds rows of {len(different)} groups: too few for {self.folds} folds.")
        if len(different) == self.folds:
            dev = np.flatnonzero(groups == different[self.fold])
        else:
            splitter = StratifiedGroupKFold(n_splits=self.folds, shuffle=True, random_state=self.seed)
            dev = list(splitter.split(groups, rows["labels"][:], groups))[self.fold][1]
        logger.warning(
            "%s has no dev split: fold %d of %d, %d of its %d rows, is held out as dev.",
            source,
            self.fold,
            self.folds,
            len(dev),
            len(rows),
        )
        return dev


def split_off_dev(rows: datasets.Dataset, holdout: Holdout, source: str) -> tuple[datasets.Dataset, datasets.Dataset]:
    """Train and dev, each in the order of `rows`. `source` is what messages call the data."""
    dev = holdout.dev_rows(rows, source)
    train = np.setdiff1d(np.arange(len(rows)), dev)
    return rows.select(train), rows.select(dev)


def _ranks(rows: datasets.Dataset, column: str) -> np.ndarray:
    """The rank of each text among the different ones, from 1."""
    return pc.rank(rows.with_format("arrow")[:].column(column), tiebreaker="dense").to_numpy()
