"""The registered datasets, by name."""

from .bundled_datasets import BUNDLED_DATASETS
from .dataset_info import DatasetInfo
from .published_datasets import PUBLISHED_DATASETS

REGISTRY: dict[str, DatasetInfo] = {info.name: info for info in (*BUNDLED_DATASETS, *PUBLISHED_DATASETS)}
