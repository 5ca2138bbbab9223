"""Where arrays that are computed once are kept."""

from pathlib import Path
from typing import Any

from ..data import digest
from ..training_arguments import StageTrainingArguments


def cached_path(args: StageTrainingArguments, kind: str, key: Any) -> Path:
    """The file of an array that is kept under a key: that of an earlier run if it has one, otherwise this run's.

    Args:
        args ([`StageTrainingArguments`]): Their `cache_dir`, or `output_dir`, and the runs of `reuse_stages_from`.
        kind (`str`): What is kept, such as `"representations"`: the folder in each of them.
        key (`Any`): All that the array depends on, as JSON can hold it.
    """
    name = f"{kind}/{digest(key)}.npy"
    own = Path(args.cache_dir or args.output_dir)
    return next(
        (run / name for run in (own, *map(Path, args.reuse_stages_from or ())) if (run / name).exists()), own / name
    )
