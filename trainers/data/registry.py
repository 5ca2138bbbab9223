"""The registered datasets, by name."""

from .brighter_datasets import BRIGHTER_DATASETS, brighter_dataset
from .bundled_datasets import BUNDLED_DATASETS
from .dataset_info import DatasetInfo
from .published_datasets import PUBLISHED_DATASETS

REGISTRY: dict[str, DatasetInfo] = {
    info.name: info for info in (*BUNDLED_DATASETS, *PUBLISHED_DATASETS, *BRIGHTER_DATASETS)
}


def find_dataset(name: object) -> DatasetInfo | None:
    """The registered dataset of a name; `None` for data of other kinds. Those of single languages are not in
    `REGISTRY`.

    Raises:
        ValueError: If the name is that of a dataset in several languages, but not of one that it has.
    """
    if not isinstance(name, str):
        return None
    return REGISTRY.get(name) or brighter_dataset(name)
