"""The files of registered datasets: where they are, what is in each split, and copies on the Hub."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

import datasets

from .dataset_info import DatasetInfo
from .digests import digest, file_digest
from .holdout import FoldHoldout, Holdout, StratifiedHoldout
from .hub_datasets import load_hub_dataset
from .readers import drop_conflicting_ids, drop_repetitions, join_scores
from .row_check import RowCheck
from .sources import Source, dataset_sources
from .tables import BATCH_SIZE, Table, divide

logger = logging.getLogger(__name__)

BUNDLED_POSTS = Path(__file__).resolve().parent / "posts"
# Registered splits do not depend on a run's seed.
SPLIT_SEED = 42


def find_folder(info: DatasetInfo, data_dir: str | None) -> Path | None:
    """The folder of a registered dataset.

    Args:
        info (`DatasetInfo`): The dataset.
        data_dir (`str`, *optional*): Directory of the datasets. The bundled corpus is found without it.

    Returns:
        `Path`, or `None` if there is no `data_dir` but a copy on the Hub.

    Raises:
        FileNotFoundError: If the folder is not there.
    """
    if data_dir is not None and (Path(data_dir) / info.folder).is_dir():
        return Path(data_dir) / info.folder
    if info.bundled:
        if (BUNDLED_POSTS / info.folder).is_dir():
            return BUNDLED_POSTS / info.folder
        raise FileNotFoundError(
            f"{info.name} is bundled, but {BUNDLED_POSTS / info.folder} is missing. Reinstall "
            f"csr-emotion, or pass a --data_dir that contains {info.folder}/."
        )
    if data_dir is None and info.hub_id is not None:
        return None
    raise FileNotFoundError(_how_to_get(info, data_dir))


@dataclass(frozen=True)
class PublishedSource:
    """
    A split of a registered dataset, read from its publisher's files.

    If a split has several files, ids with conflicting labels are dropped, unless the dataset keeps them.

    Args:
        info (`DatasetInfo`): The dataset.
        folder (`Path`): Its folder.
        split (`str`): The split. Where train and dev are the same files, `train` is both.
    """

    info: DatasetInfo
    folder: Path
    split: str

    @property
    def name(self) -> str:
        """What error messages call it."""
        return f"{self.info.name} ({self.split})"

    def tables(self, check: RowCheck | None = None) -> Iterator[Table]:
        """The rows, a few thousand at a time, their labels as targets."""
        rows = self.rows()
        if not rows:
            raise ValueError(f"{self.name}: no rows are left.")
        return divide(self.name, list(rows[0]), ((None, row) for row in rows), BATCH_SIZE)

    def digest(self) -> str:
        """A short hash of the files, and of how they are joined."""
        info = self.info
        reader = repr(info.reader) if is_dataclass(info.reader) else info.reader.__qualname__
        reader = f"{info.reader.__module__}.{reader}"
        joined = [info.keep_conflicting, info.keep_once, info.join_scores]
        return digest([self.name, reader, joined, [file_digest(path) for path in self._paths()]])

    def rows(self) -> list[dict[str, Any]]:
        """All rows, as the dataset's reader returns them.

        Raises:
            FileNotFoundError: If a file is missing.
            ValueError: If a file is not valid.
        """
        info, paths = self.info, self._paths()
        there = {path.relative_to(self.folder).as_posix() for path in paths}
        missing = [pattern for pattern in info.splits[self.split] if "*" not in pattern and pattern not in there]
        if missing:
            logger.warning("%s: %s missing, so not among the rows.", self.name, ", ".join(missing))
        rows = [row for path in paths for row in info.reader(path)]
        if info.join_scores:
            rows = join_scores(rows, self.name)
        if len(paths) > 1 and not info.keep_conflicting:
            rows = drop_conflicting_ids(rows, self.name)
        if len(paths) > 1 and info.keep_once is not None:
            rows = drop_repetitions(rows, info.keep_once, self.name)
        return rows

    def _paths(self) -> list[Path]:
        patterns = self.info.splits[self.split]
        paths, missing = [], []
        for pattern in patterns:
            matches = sorted(self.folder.glob(pattern))
            paths += matches
            if not matches:
                missing.append(pattern)
        if missing and not (paths and self.info.files_may_be_missing):
            raise FileNotFoundError(
                f"{self.folder / missing[0]} does not exist: the {self.split} split of {self.info.name}."
            )
        return paths


def published_sources(
    info: DatasetInfo, folder: Path, splits: Sequence[str], fold: int
) -> tuple[dict[str, Source], Holdout | None]:
    """Splits of a registered dataset, and how dev is held out where train and dev are the same files.

    Args:
        info (`DatasetInfo`): The dataset.
        folder (`Path`): Its folder.
        splits (`Sequence[str]`): The splits that are asked for.
        fold (`int`): Which fold is dev, for a dataset that has folds.

    Raises:
        ValueError: If there is no such split.
    """
    for split in splits:
        if split not in info.splits:
            raise ValueError(f"{info.name} has no split {split}; it has {', '.join(info.splits)}.")
    holdout: Holdout | None = None
    if info.folds is not None:
        holdout = FoldHoldout(info.folds, fold, SPLIT_SEED)
    elif info.dev_fraction is not None:
        holdout = StratifiedHoldout(info.dev_fraction, SPLIT_SEED)
    named = ["train" if holdout and split == "dev" else split for split in splits]
    return {split: PublishedSource(info, folder, split) for split in dict.fromkeys(named)}, holdout


def hub_sources(info: DatasetInfo, fold: int) -> tuple[dict[str, Source], Holdout | None]:
    """The splits of a registered dataset's copy on the Hub, and how dev is held out where it has folds.

    Args:
        info (`DatasetInfo`): The dataset. Where it has folds, its groups are in the column `group` of train.
        fold (`int`): Which fold is dev, for a dataset that has folds.

    Raises:
        FileNotFoundError: If they could not be loaded; the message says where to get the files.
    """
    assert info.hub_id is not None, "find_folder raises where there is neither a folder nor a copy on the Hub"
    try:
        if isinstance(info.hub_config, tuple):
            splits = _languages_on_the_hub(info)
        else:
            splits = load_hub_dataset(info.hub_id, info.hub_config)
    except (OSError, RuntimeError) as error:
        raise FileNotFoundError(
            f"{info.hub_id} could not be loaded from the Hub: {error}\n{_how_to_get(info, None)}"
        ) from error
    holdout = None
    if info.folds is not None:
        holdout = FoldHoldout(info.folds, fold, SPLIT_SEED)
        # Its splits are the groups of the folds; of dialogues, only the order of the texts is known.
        groups = []
        for group, rows in splits.items():
            names = [group] * len(rows)
            groups.append(rows.add_column("group", names).add_column("dialogue_id", names))
        splits = datasets.DatasetDict(train=datasets.concatenate_datasets(groups))
    return dataset_sources(splits, info.hub_id), holdout


def _languages_on_the_hub(info: DatasetInfo) -> datasets.DatasetDict:
    """The splits of the configurations of several languages, joined. Labels that a language lacks are null."""
    label_columns = list(info.hub_label_columns or info.labels)
    texts = {info.hub_text_column: datasets.Value("string"), "language": datasets.Value("string")}
    features = datasets.Features(texts | {column: datasets.Value("float64") for column in label_columns})
    parts: dict[str, list[datasets.Dataset]] = {}
    assert info.hub_id is not None
    for language in info.hub_config or ():
        for split, rows in load_hub_dataset(info.hub_id, language).items():
            rows = rows.add_column("language", [language] * len(rows))
            for column in label_columns:
                if column not in rows.column_names:
                    rows = rows.add_column(column, [None] * len(rows))
            parts.setdefault(split, []).append(rows.select_columns(list(features)).cast(features))
    return datasets.DatasetDict({split: datasets.concatenate_datasets(rows) for split, rows in parts.items()})


def _how_to_get(info: DatasetInfo, data_dir: str | None) -> str:
    place = Path(data_dir or "DATA_DIR") / info.folder
    # Once each: train and dev may be the same files.
    files = ", ".join(dict.fromkeys(pattern for patterns in info.splits.values() for pattern in patterns))
    there = f"{place} does not exist." if data_dir else f"Pass --data_dir DATA_DIR, where {place} exists."
    return f"{info.name}: {there} It should contain {files}; get them from {info.homepage}"
