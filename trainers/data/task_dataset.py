"""The splits of a task, from a registered dataset, from files, from memory or from the Hub, checked before training."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from .arrow_files import ColumnReader, TargetReader, map_splits
from .dataset_info import DatasetInfo
from .holdout import Holdout, StratifiedHoldout, split_off_dev
from .registered_files import find_folder, hub_sources, published_sources
from .registry import REGISTRY
from .rows import plain_dataset
from .sources import SPLIT_NAMES, ColumnValues, FileSource, Source, dataset_sources, folder_sources
from .tables import BATCH_SIZE, TABLE_SUFFIXES

logger = logging.getLogger(__name__)
# Name of data in memory, for messages and cards.
IN_MEMORY = "your own data"


@dataclass
class TaskDataset:
    """
    The splits of one task.

    Args:
        name (`str`): Name of the dataset: as registered, the name of the file or folder, or the id on the Hub.
        labels (`list[str]`): Label names, in the order of the targets.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        splits (`datasets.DatasetDict`): The splits that were asked for, with the columns `text` (string) and `labels`
            (a list of 0.0 and 1.0, one per label; a class id; or a list of scores, NaN where there is none), and
            those of [`~trainers.data.dialogues.DIALOGUE_COLUMNS`] where the texts are utterances in dialogues.
        info (`DatasetInfo`, *optional*): Facts about it, for a registered dataset.
        notes (`list[str]`): What was done to it, in one or two sentences each, for the card.
    """

    name: str
    labels: list[str]
    problem_type: str
    splits: datasets.DatasetDict
    info: DatasetInfo | None
    notes: list[str] = field(default_factory=list)

    def targets(self, split: str) -> np.ndarray:
        """Multi-hot floats or scores `(texts, num_labels)`, or class ids `(texts,)`."""
        return np.concatenate(list(self.target_batches(split)))

    def target_batches(self, split: str) -> Iterator[np.ndarray]:
        """The same, a few thousand texts at a time."""
        kind = np.int64 if self.problem_type == "single_label_classification" else np.float32
        for batch in self.splits[split].select_columns("labels").iter(batch_size=BATCH_SIZE):
            yield np.asarray(batch["labels"], dtype=kind)


def load_task_dataset(
    name: Any,
    *,
    data_dir: str | None = None,
    text_column: str | None = None,
    label_columns: list[str] | None = None,
    splits: Sequence[str] = ("train", "dev"),
    dev_fraction: float = 0.1,
    seed: int = 42,
    fold: int = 0,
    regression: bool = False,
    labels: Sequence[str] | None = None,
    cache_dir: str | Path | None = None,
) -> TaskDataset:
    """Load a dataset and check it.

    Its texts are written to Arrow files once and memory-mapped from there ([`~trainers.data.arrow_files.map_splits`]),
    so they may be larger than memory.

    Args:
        name (`str`, `Path`, `DataFrame`, `Dataset`, `list[dict]`, or `dict` of these by split): Data in memory, or what
            to load, the first of these that fits: a name in `REGISTRY`; a .csv, .tsv, .jsonl or .parquet file; a folder
            that holds `train`, `dev` (or `val`, `valid`, `validation`) and optionally `test` as such files; the id of a
            dataset on the Hub, with a configuration after a colon where there are several (`org/name:config`). A dev
            split is split off from a file, and from data in memory without one. If only `test` is asked for, the whole
            file is the test split.
        data_dir (`str`, *optional*): Directory with one subfolder per registered dataset.
        text_column (`str`, *optional*): The column of the texts, `text` by default. Ignored for registered datasets.
        label_columns (`list[str]`, *optional*): The columns of the labels, `label` or `labels` by default, with the
            contents that [`~trainers.data.columns.name_rows`] accepts. Ignored for registered datasets.
        splits (`Sequence[str]`, defaults to `("train", "dev")`): Which of `train`, `dev` and `test` to load.
        dev_fraction (`float`, defaults to 0.1): Part of the texts that becomes dev if there is no dev split.
        seed (`int`, defaults to 42): Seed for drawing these texts.
        fold (`int`, defaults to 0): Which fold is dev, for a registered dataset that has folds.
        regression (`bool`, defaults to `False`): Whether the label columns hold scores
            ([`~trainers.data.columns.score_rows`]). A registered dataset must match.
        labels (`Sequence[str]`, *optional*): The label space, such as that of a model, for your own data whose columns
            do not define it. By default the labels that occur in train.
        cache_dir (`str` or `Path`, *optional*): Directory of the Arrow files; by default one in the cache of the
            datasets library (`HF_DATASETS_CACHE`).

    Returns:
        `TaskDataset`.

    Raises:
        FileNotFoundError: If the data are missing; the message says what is expected where.
        OSError: If `cache_dir` cannot be written.
        ValueError: If the data are not valid; the message names the file and the line.
    """
    if not splits or not set(splits) <= set(SPLIT_NAMES):
        raise ValueError(f"splits must be some of {', '.join(SPLIT_NAMES)}, got {splits!r}.")
    if not 0 < dev_fraction < 1:
        raise ValueError(f"dev_fraction must lie between 0 and 1, got {dev_fraction}.")
    info = REGISTRY.get(name) if isinstance(name, str) else None
    if info is not None and (info.problem_type == "regression") != regression:
        kind = "scores (regression)" if regression else "classes"
        raise ValueError(f"{name} is for {info.problem_type}, but {kind} are needed here.")
    folder = None if info is None else find_folder(info, data_dir)
    space = None if labels is None else list(labels)
    reader: ColumnReader | TargetReader = ColumnReader(text_column, label_columns, regression, labels=space)
    holdout: Holdout | None = None
    if info is not None and folder is not None:
        sources, holdout = published_sources(info, folder, splits, fold)
        reader = TargetReader(list(info.labels), info.problem_type)
    elif info is not None:
        sources, holdout = hub_sources(info, fold)
        group_column = None if info.folds is None else "group"
        columns = list(info.hub_label_columns or info.labels)
        reader = ColumnReader(info.hub_text_column, columns, regression, group_column)
    else:
        name, sources, may_split = _own_sources(name, splits)
        # Even if dev is not asked for: train must be the same rows either way.
        if may_split and "train" in sources and "dev" not in sources:
            holdout = StratifiedHoldout(dev_fraction, seed)
    # Train defines the labels, so it is read even if only another split is asked for.
    sources = {split: source for split, source in sources.items() if split == "train" or split in splits}
    names, problem_type, found = map_splits(sources, reader, cache_dir)
    if holdout is not None and "train" in found:
        called = sources["train"].name if info is None else info.name
        found["train"], found["dev"] = split_off_dev(found["train"], holdout, called)
    _check_splits(name, splits, found)
    rows = {split: found[split] for split in splits}
    own = {split: part.remove_columns({"group"} & set(part.column_names)) for split, part in rows.items()}
    return _checked(TaskDataset(name, names, problem_type, datasets.DatasetDict(own), info))


def load_texts(
    name: Any, *, data_dir: str | None = None, text_column: str | None = None, cache_dir: str | Path | None = None
) -> TaskDataset:
    """Load the training texts of a dataset, without regard to any labels.

    Args:
        name (`str`): As in [`load_task_dataset`], which loads registered datasets.
        data_dir (`str`, *optional*): As in [`load_task_dataset`], and so is `cache_dir`.
        text_column (`str`, *optional*): The column of the texts, `text` by default. Other columns are ignored.

    Returns:
        `TaskDataset`. Unless the dataset is registered, it has only a train split and no labels.

    Raises:
        FileNotFoundError: If the data are missing.
        ValueError: If a text is empty; the message names the file and the line.
    """
    if isinstance(name, str) and name in REGISTRY:
        regression = REGISTRY[name].problem_type == "regression"
        return load_task_dataset(name, data_dir=data_dir, regression=regression, cache_dir=cache_dir)
    name, sources, _ = _own_sources(name, ("train",))
    # Read as rows of scores, of which there are none.
    reader = ColumnReader(text_column, [], regression=True)
    _, _, splits = map_splits({"train": sources["train"]}, reader, cache_dir)
    return TaskDataset(name, [], "regression", splits, None)


def _check_splits(name: str, asked: Sequence[str], found: Collection[str]) -> None:
    missing = [split for split in asked if split not in found]
    if missing:
        raise ValueError(f"{name} has no split {', '.join(missing)}; it has {', '.join(found)}.")


def _own_sources(name: Any, splits: Sequence[str]) -> tuple[str, dict[str, Source], bool]:
    """The name of a dataset that is not registered, its sources by split, and whether dev may be split off train."""
    if not isinstance(name, str | Path):
        parts = dict(name) if isinstance(name, Mapping) else {"train": name}
        rows = {split: plain_dataset(part, f"{IN_MEMORY} ({split})") for split, part in parts.items()}
        return IN_MEMORY, dataset_sources(datasets.DatasetDict(rows), IN_MEMORY), True
    name = str(name)
    if Path(name).is_dir():
        return Path(name).resolve().name, folder_sources(Path(name), splits), False
    if Path(name).exists() or Path(name).suffix.lower() in TABLE_SUFFIXES:
        # A file is train with dev still in it or, if nothing else is asked for, a test split.
        own_split = "test" if tuple(splits) == ("test",) else "train"
        return Path(name).stem, {own_split: FileSource(Path(name))}, own_split == "train"
    return name, _hub_sources(name), True


def _hub_sources(name: str) -> dict[str, Source]:
    hub_id, _, config = name.partition(":")
    try:
        splits = datasets.load_dataset(hub_id, config or None)
    except (OSError, RuntimeError) as error:
        raise FileNotFoundError(
            f"{name!r} is not a registered dataset ({', '.join(REGISTRY)}), not a file and not a folder, and could "
            f"not be loaded from the Hub: {error}"
        ) from error
    except ValueError as error:
        raise ValueError(f"{name!r} from the Hub: {error}\nA configuration is given as org/name:config.") from error
    return dataset_sources(splits, name)


def _checked(data: TaskDataset) -> TaskDataset:
    """The same data. Of the texts, only those of dev are in memory here."""
    if "train" in data.splits:
        if data.problem_type == "regression":
            _check_scores(data)
        else:
            _check_labels(data)
    if "train" in data.splits and "dev" in data.splits:
        train, dev = (ColumnValues(data.splits[split], "text") for split in ("train", "dev"))
        texts = set(dev)
        shared = {text for text in train if text in texts}
        if shared:
            count = sum(text in shared for text in dev)
            logger.warning("%s: %d of the %d dev texts are in train, too.", data.name, count, len(dev.rows))
    return data


def _check_scores(data: TaskDataset) -> None:
    lowest, highest = np.full(len(data.labels), np.nan), np.full(len(data.labels), np.nan)
    for scores in data.target_batches("train"):
        lowest, highest = np.fmin(lowest, np.fmin.reduce(scores)), np.fmax(highest, np.fmax.reduce(scores))
    for label, low, high in zip(data.labels, lowest, highest, strict=True):
        # Also if there is no score at all: both are NaN then.
        if not low < high:
            raise ValueError(f"{data.name}: the rows of train have no two different scores of {label}.")


def _check_labels(data: TaskDataset) -> None:
    name, labels, single = data.name, data.labels, data.problem_type == "single_label_classification"
    first, alike, present = None, True, np.zeros(len(labels), dtype=bool)
    for targets in data.target_batches("train"):
        first = targets[0] if first is None else first
        alike = alike and bool((targets == first).all())
        if single:
            present[targets] = True
        else:
            present |= targets.any(axis=0)
    if alike:
        found = [label for label, bit in zip(labels, present, strict=True) if bit]
        what = f"the label {found[0]}" if single else f"the labels {found}"
        rows = len(data.splits["train"])
        raise ValueError(f"{name}: all {rows} rows of train have {what}; there is nothing to learn.")
    absent = [label for label, bit in zip(labels, present, strict=True) if not bit]
    if absent:
        logger.warning("%s: no row of train has the label %s.", name, ", ".join(absent))
