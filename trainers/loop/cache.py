"""Arrays that are computed once and cached on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..data import digest, is_whole, sealed_array
from ..training_arguments import StageTrainingArguments


def cached_array(args: StageTrainingArguments, kind: str, key: Any, write: Callable[[Path], None]) -> np.ndarray:
    """An array from the cache of this run or of an earlier one, computed and written first if it is in neither.

    A killed process leaves nothing half-written, and a damaged file is written anew.

    Args:
        args ([`StageTrainingArguments`]): This run's `cache_dir` (or `output_dir`), which is searched first, and the
            earlier runs in `reuse_stages_from`.
        kind (`str`): What is cached, such as `"representations"`; the name of the subfolder.
        key (`Any`): Everything the array depends on, as a value that JSON can represent.
        write (`Callable`): Computes the array, and writes it as an `.npy` file to the path that it is given.

    Returns:
        `np.ndarray`: The array, memory-mapped, copy-on-write.
    """
    name = f"{kind}/{digest(key)}.npy"
    own = Path(args.cache_dir or args.output_dir) / name
    earlier = (Path(run) / name for run in args.reuse_stages_from or ())
    path = own if own.exists() else next(filter(is_whole, earlier), own)
    return sealed_array(path, write)
