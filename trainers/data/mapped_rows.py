"""Rows that are changed by a function, and kept in a sealed file beside those that they were made from."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import datasets
from filelock import FileLock

from .digests import digest
from .sealed_files import is_whole, write_sealed


def map_rows(
    rows: datasets.Dataset, change: Callable[..., Mapping[str, Any]], made_from: Any, **options: Any
) -> datasets.Dataset:
    """As `Dataset.map` in batches, whose cache is taken if it is as it was written, and otherwise made anew.

    Unlike that of the datasets library, which trains on whatever stands in a damaged file.

    Args:
        rows (`Dataset`): The rows. If they are in memory, so are the new ones.
        change (`Callable`): Makes new columns from a batch of them.
        made_from (`Any`): All that the new columns depend on besides the rows, as a value that JSON can represent.
        options: Further arguments of `Dataset.map`.
    """
    fingerprint = digest([rows._fingerprint, made_from])
    convert = partial(
        rows.map, change, batched=True, new_fingerprint=fingerprint, load_from_cache_file=False, **options
    )
    if not rows.cache_files:
        return convert()
    path = Path(rows.cache_files[0]["filename"]).with_name(f"cache-{fingerprint}.arrow")
    with FileLock(path.with_suffix(".lock")):
        if not is_whole(path):
            write_sealed(path, lambda unfinished: convert(cache_file_name=str(unfinished)))
    return datasets.Dataset.from_file(str(path))
