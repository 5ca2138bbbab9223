"""Data of one's own: in memory, in files and folders, or on the Hub."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets

from .hub_datasets import load_hub_dataset
from .registry import REGISTRY
from .row_check import RowCheck
from .rows import plain_dataset, without_unencodable
from .sources import FileSource, Source, dataset_sources, folder_sources
from .tables import TABLE_SUFFIXES, table_suffix

# Name of data in memory, for messages and cards.
IN_MEMORY = "your own data"
_CONFIG_HINT = "\nA configuration is given as org/name:config."


def own_sources(name: Any, splits: Sequence[str], check: RowCheck) -> tuple[str, dict[str, Source], bool]:
    """Where the rows of a dataset that is not registered come from.

    Args:
        name (`Any`): The data, as in [`~trainers.data.task_dataset.load_task_dataset`].
        splits (`Sequence[str]`): The splits that are asked for.
        check ([`RowCheck`]): Told of rows in memory that cannot be encoded.

    Returns:
        `tuple`: Its name, its sources by split, and whether dev may be split off train.

    Raises:
        FileNotFoundError: If the data are missing.
        ValueError: If they are not valid.
    """
    if not isinstance(name, str | Path):
        parts = dict(name) if isinstance(name, Mapping) else {"train": name}
        return IN_MEMORY, _memory_sources(parts, check), True
    path = Path(name)
    if path.is_dir():
        folder = path.resolve().name
        saved = saved_splits(path)
        if saved is not None:
            return folder, dataset_sources(saved, str(path)), True
        return folder, folder_sources(path, splits), False
    suffix = table_suffix(path)
    if path.exists() or suffix in TABLE_SUFFIXES:
        # A file is train with dev still in it or, if nothing else is asked for, a test split.
        own_split = "test" if tuple(splits) == ("test",) else "train"
        return path.name[: len(path.name) - len(suffix)], {own_split: FileSource(path)}, own_split == "train"
    return str(name), dataset_sources(hub_splits(str(name)), str(name)), True


def _memory_sources(parts: Mapping[str, Any], check: RowCheck) -> dict[str, Source]:
    rows, faults = {}, {}
    for split, part in parts.items():
        name = f"{IN_MEMORY} ({split})"
        if check.skips_bad_rows:
            part, faults[split] = without_unencodable(part, name)
        rows[split] = plain_dataset(part, name)
    return dataset_sources(datasets.DatasetDict(rows), IN_MEMORY, faults)


def saved_splits(folder: Path) -> datasets.DatasetDict | None:
    """What `save_to_disk` wrote into a folder; `None` if it did not."""
    if not any((folder / name).is_file() for name in ("dataset_dict.json", "state.json")):
        return None
    try:
        saved = datasets.load_from_disk(str(folder))
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"{folder} looks like a folder of save_to_disk, but could not be loaded ({error!r}). Save it anew."
        ) from error
    return saved if isinstance(saved, datasets.DatasetDict) else datasets.DatasetDict(train=saved)


def hub_splits(name: str) -> datasets.DatasetDict:
    """The splits of a dataset on the Hub, `org/name` or `org/name:config`."""
    hub_id, _, config = name.partition(":")
    try:
        return load_hub_dataset(hub_id, config or None)
    except (OSError, RuntimeError) as error:
        raise FileNotFoundError(
            f"{name!r} is not a registered dataset ({', '.join(REGISTRY)}), not a file and not a folder, and could "
            f"not be loaded from the Hub: {error}"
        ) from error
    except ValueError as error:
        raise ValueError(f"{name!r} from the Hub: {error}{_CONFIG_HINT if 'config' in str(error) else ''}") from error
