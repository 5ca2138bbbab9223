"""The files of registered datasets: where they lie, what is in a split of them, and the copies on the Hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets

from .dataset_info import DatasetInfo
from .holdout import split_off_dev, split_off_fold
from .readers import drop_conflicting_ids, drop_repetitions, join_scores
from .sources import Source, dataset_sources

BUNDLED_POSTS = Path(__file__).resolve().parent / "posts"
# A registered split is the same whatever seed a run has.
SPLIT_SEED = 42


def find_folder(info: DatasetInfo, data_dir: str | None) -> Path | None:
    """The folder of a registered dataset.

    Args:
        info (`DatasetInfo`): The dataset.
        data_dir (`str`, *optional*): Where datasets lie. The bundled corpus is found without it.

    Returns:
        `Path`, or `None` where there is no `data_dir`, but a copy on the Hub.

    Raises:
        FileNotFoundError: If the folder is not there.
    """
    if data_dir is not None and (Path(data_dir) / info.folder).is_dir():
        return Path(data_dir) / info.folder
    if info.bundled:
        if (BUNDLED_POSTS / info.folder).is_dir():
            return BUNDLED_POSTS / info.folder
        raise FileNotFoundError(
            f"{info.name} comes with the repository, but {BUNDLED_POSTS / info.folder} is not there. Clone the "
            f"repository, or pass a --data_dir that holds {info.folder}/."
        )
    if data_dir is None and info.hub_id is not None:
        return None
    raise FileNotFoundError(_how_to_get(info, data_dir))


def read_split(info: DatasetInfo, folder: Path, split: str, fold: int = 0) -> list[dict[str, Any]]:
    """Read one split of a registered dataset, as [`read_splits`] does."""
    return read_splits(info, folder, (split,), fold)[split]


def read_splits(
    info: DatasetInfo, folder: Path, splits: Sequence[str], fold: int = 0
) -> dict[str, list[dict[str, Any]]]:
    """Read splits of a registered dataset.

    Where a split is joined of several files, ids with conflicting labels go, unless the dataset keeps them. Where train
    and dev are the same files, dev is one fold of the groups or a part of the texts, the same in each call.

    Args:
        info (`DatasetInfo`): The dataset.
        folder (`Path`): Its folder.
        splits (`Sequence[str]`): The splits.
        fold (`int`, defaults to 0): Which fold is dev, for a dataset that has folds.

    Returns:
        `dict[str, list[dict]]`, by split its rows as the reader gives them.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If there is no such split or fold, or a file is not valid.
    """
    divided: dict[str, list[dict[str, Any]]] = {}
    rows = {}
    for split in splits:
        if split not in info.splits:
            raise ValueError(f"{info.name} has no split {split}; it has {', '.join(info.splits)}.")
        if (info.folds is None and info.dev_fraction is None) or split == "test":
            rows[split] = _read_files(info, folder, split)
            continue
        if not divided:
            both = _read_files(info, folder, "train")
            if info.folds is not None:
                divided["train"], divided["dev"] = split_off_fold(both, info.folds, fold, SPLIT_SEED, info.name)
            elif info.dev_fraction is not None:
                divided["train"], divided["dev"] = split_off_dev(both, info.dev_fraction, SPLIT_SEED, info.name)
        rows[split] = divided[split]
    return rows


def _read_files(info: DatasetInfo, folder: Path, split: str) -> list[dict[str, Any]]:
    paths = []
    for pattern in info.splits[split]:
        matches = sorted(folder.glob(pattern))
        if not matches:
            raise FileNotFoundError(f"{folder / pattern} does not exist: the {split} split of {info.name}.")
        paths += matches
    rows = [row for path in paths for row in info.reader(path)]
    if info.join_scores:
        rows = join_scores(rows, f"{info.name} ({split})")
    if len(paths) > 1 and not info.keep_conflicting:
        rows = drop_conflicting_ids(rows, f"{info.name} ({split})")
    if len(paths) > 1 and info.keep_once is not None:
        rows = drop_repetitions(rows, info.keep_once, f"{info.name} ({split})")
    return rows


def hub_copy(info: DatasetInfo) -> dict[str, Source]:
    """The splits of a registered dataset's copy on the Hub.

    Args:
        info (`DatasetInfo`): The dataset. Where it has folds, its groups are in the column `group` of one split.

    Raises:
        FileNotFoundError: If they could not be loaded; the message says where to get the files.
    """
    assert info.hub_id is not None, "find_folder raises where there is neither a folder nor a copy on the Hub"
    try:
        splits = datasets.load_dataset(info.hub_id, info.hub_config)
    except (OSError, RuntimeError) as error:
        raise FileNotFoundError(
            f"{info.hub_id} could not be loaded from the Hub: {error}\n{_how_to_get(info, None)}"
        ) from error
    if info.folds is not None:
        # Its splits are the groups of the folds, and all that is known of dialogues is the order of the texts.
        groups = []
        for group, rows in splits.items():
            names = [group] * len(rows)
            groups.append(rows.add_column("group", names).add_column("dialogue_id", names))
        splits = datasets.DatasetDict(train=datasets.concatenate_datasets(groups))
    return dataset_sources(splits, info.hub_id)


def _how_to_get(info: DatasetInfo, data_dir: str | None) -> str:
    place = Path(data_dir or "DATA_DIR") / info.folder
    # Once each: train and dev may be the same files.
    files = ", ".join(dict.fromkeys(pattern for patterns in info.splits.values() for pattern in patterns))
    there = f"{place} does not exist." if data_dir else f"Pass --data_dir DATA_DIR, where {place} exists."
    return f"{info.name}: {there} It is to hold {files}; get them from {info.homepage}"
