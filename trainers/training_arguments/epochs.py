"""How long to train, unless one says so: few texts take more epochs."""

from collections.abc import Mapping
from typing import Any

# Below so many texts, so many times the usual number of epochs. With these, no recipe stopped too early at 1 to 30 % of
# E-c's 6,838 texts (benchmarks/results, learning curves).
MORE_EPOCHS = ((100, 10.0), (400, 5.0), (1_200, 2.5), (4_000, 1.5))


def default_epochs(dataset: Any, usual: float) -> float:
    """The number of epochs of a training whose arguments name none.

    Args:
        dataset: The training dataset; a dict of several, by task, counts as its largest. One without a length is
            trained by `max_steps` anyway.
        usual (`float`): The number of epochs from 4,000 texts on.

    Returns:
        `float`: 10 times `usual` below 100 texts, 5 times below 400, 2.5 times below 1,200 and 1.5 times below 4,000.
    """
    parts = list(dataset.values()) if isinstance(dataset, Mapping) else [dataset]
    if not parts or not all(hasattr(part, "__len__") for part in parts):
        return usual
    texts = max(map(len, parts))
    return usual * next((times for limit, times in MORE_EPOCHS if texts < limit), 1.0)


__all__ = ["MORE_EPOCHS", "default_epochs"]
