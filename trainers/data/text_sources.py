"""Where texts without labels come from: files, folders, patterns and datasets, in one order."""

from glob import glob, has_magic
from pathlib import Path

import datasets

from .own_data import hub_splits, saved_splits
from .sources import DatasetSource, FileSource, Source
from .tables import TABLE_SUFFIXES, table_suffix


def text_sources(name: str, split: str | None = None) -> list[Source]:
    """What to read texts from, in the order in which to read it.

    Args:
        name (`str`): A file, a folder (all tables in it, by name), a pattern such as `posts/*.csv.gz`, a folder of
            `save_to_disk`, or a dataset on the Hub, as `org/name` or `org/name:config`.
        split (`str`, *optional*): The split to read of a dataset; by default all of them, one after another.

    Raises:
        FileNotFoundError: If there is no such file, folder or dataset, or nothing in it that can be read.
        ValueError: If a file is of an unknown type, or there is no such split.
    """
    path = Path(name)
    splits: datasets.DatasetDict | None = None
    files: list[Path] = []
    if path.is_dir():
        splits = saved_splits(path)
        files = sorted(found for found in path.iterdir() if found.is_file() and table_suffix(found) in TABLE_SUFFIXES)
        if splits is None and not files:
            present = ", ".join(sorted(found.name for found in path.iterdir())[:5]) or "nothing"
            raise FileNotFoundError(
                f"{name} has no file with one of the extensions {', '.join(TABLE_SUFFIXES)}; it contains {present}."
            )
    elif path.exists():
        files = [path]
    elif has_magic(name):
        files = sorted(Path(found) for found in glob(name, recursive=True) if Path(found).is_file())
        if not files:
            raise FileNotFoundError(f"No file matches {name}.")
    elif table_suffix(path) in TABLE_SUFFIXES:
        raise FileNotFoundError(f"{name} does not exist.")
    else:
        splits = hub_splits(name)
    if splits is None:
        for file in files:
            if table_suffix(file) not in TABLE_SUFFIXES:
                raise ValueError(f"{file}: unknown file type; use one of {', '.join(TABLE_SUFFIXES)}.")
        if split is not None:
            raise ValueError(f"--split {split}: {name} is no dataset with splits. Name the files to read instead.")
        return [FileSource(file) for file in files]
    if split is not None and split not in splits:
        raise ValueError(f"--split {split}: {name} has the splits {', '.join(splits)}.")
    return [DatasetSource(f"{name} ({one})", rows) for one, rows in splits.items() if split in (None, one)]
