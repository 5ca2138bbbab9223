"""Where computed arrays are cached."""

from pathlib import Path
from typing import Any

from ..data import digest
from ..training_arguments import StageTrainingArguments


def cached_path(args: StageTrainingArguments, kind: str, key: Any) -> Path:
    """Path of a cached array: an existing file of this run or an earlier one, otherwise where this run writes it.

    Args:
        args ([`StageTrainingArguments`]): This run's `cache_dir` (or `output_dir`), which is searched first, and the
            earlier runs in `reuse_stages_from`.
        kind (`str`): What is cached, such as `"representations"`; the name of the subfolder.
        key (`Any`): Everything the array depends on, as a value that JSON can represent.

    Returns:
        `Path`: The `.npy` file, which may not exist yet.
    """
    name = f"{kind}/{digest(key)}.npy"
    own = Path(args.cache_dir or args.output_dir)
    return next(
        (run / name for run in (own, *map(Path, args.reuse_stages_from or ())) if (run / name).exists()), own / name
    )
