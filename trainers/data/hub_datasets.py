"""Datasets on the Hub, whose copies in the cache of the datasets library are sealed when they are first seen."""

import json
from pathlib import Path

import datasets
import pyarrow as pa

from .sealed_files import seal_damage


def load_hub_dataset(name: str, config: str | None = None) -> datasets.DatasetDict:
    """As `datasets.load_dataset`, but a damaged copy in the cache is not taken.

    Raises:
        OSError, RuntimeError: As `datasets.load_dataset`.
        ValueError: Also if the copy is damaged; the message then says what to delete.
    """
    try:
        found = datasets.load_dataset(name, config)
    except (OSError, ValueError) as error:
        if isinstance(error, pa.ArrowException | json.JSONDecodeError) or ".arrow" in str(error) or _is_short(error):
            cache = datasets.config.HF_DATASETS_CACHE
            raise ValueError(
                f"the copy in the cache is damaged ({error}). Delete the folder of {name} in {cache}, and repeat the "
                "command: it is made anew."
            ) from error
        raise
    for path in sorted({Path(file["filename"]) for files in found.cache_files.values() for file in files}):
        damage = seal_damage(path)
        if damage:
            raise ValueError(f"{damage}. Delete {path.parent}, and repeat the command: it is made anew.")
    return found


def _is_short(error: Exception) -> bool:
    # What Arrow raises where a file ends too early; errors of the network are subclasses.
    return type(error) is OSError and error.errno is None and "Expected to be able to read" in str(error)
