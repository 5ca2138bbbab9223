"""The splits of a task, from a dataset known by name, from one's own files or from the Hub, checked before training."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from .columns import name_rows, row_features, score_rows
from .dataset_info import DatasetInfo
from .holdout import split_off_dev, split_off_fold
from .registered_files import SPLIT_SEED, find_folder, hub_copy, read_splits
from .registry import REGISTRY
from .rows import plain_dataset
from .sources import SPLIT_NAMES, ColumnValues, FileSource, Source, dataset_sources, folder_sources
from .streaming import ColumnReader, Holdout, stream_splits
from .tables import BATCH_SIZE, TABLE_SUFFIXES

logger = logging.getLogger(__name__)
# What messages and cards call data that were given in memory.
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
        info (`DatasetInfo`, *optional*): What is known of it, for a registered dataset.
        notes (`list[str]`): What was done to it since, one sentence or two each, for the card.
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
        """The same, some thousands of texts at a time."""
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
    streaming: bool = False,
    cache_dir: str | Path | None = None,
) -> TaskDataset:
    """Load a dataset and check it.

    Args:
        name (`str`, `Path`, `DataFrame`, `Dataset`, `list[dict]`, or `dict` of these by split): Data in memory, or what
            to load; the first of these that fits: a name in `REGISTRY`; a .csv, .tsv, .jsonl or .parquet file; a folder
            that holds `train`, `dev` (or `val`, or `validation`) and optionally `test` as such files; the id of a
            dataset on the Hub, with a configuration after a colon where there are several (`org/name:config`). Of a
            file and of data in memory a dev split is split off where there is none; where only `test` is asked for, a
            file is the test split as it stands.
        data_dir (`str`, *optional*): Where registered datasets lie, each in its folder.
        text_column (`str`, *optional*): The column of the texts, `text` by default. For one's own data and the Hub.
        label_columns (`list[str]`, *optional*): The columns of the labels, `label` or `labels` by default; what they
            may hold is said in [`~trainers.data.columns.name_rows`]. For one's own data and the Hub.
        splits (`Sequence[str]`, defaults to `("train", "dev")`): Which of `train`, `dev` and `test` to load.
        dev_fraction (`float`, defaults to 0.1): Part of the texts that becomes dev where there is no dev split.
        seed (`int`, defaults to 42): Seed of the shuffling that chooses these texts.
        fold (`int`, defaults to 0): Which fold is dev, for a registered dataset that has folds.
        regression (`bool`, defaults to `False`): Whether the label columns of one's own data hold scores
            ([`~trainers.data.columns.score_rows`]). A registered dataset must be what is asked for.
        streaming (`bool`, defaults to `False`): Whether the texts of one's own files and of the Hub pass to a file on
            disk some thousands at a time and are mapped from there
            ([`~trainers.data.streaming.stream_splits`]): they may be larger than memory. Dev is then split off without
            regard to labels. Registered datasets that are read in their publishers' files, or have folds, are small and
            come as they do without it.
        cache_dir (`str` or `Path`, *optional*): The folder of these files; by default one in that of the datasets
            library (`HF_DATASETS_CACHE`).

    Returns:
        `TaskDataset`.

    Raises:
        FileNotFoundError: If the data are not there; the message says what is expected where.
        ValueError: If the data are not valid; the message names the file and the line.
    """
    if not splits or not set(splits) <= set(SPLIT_NAMES):
        raise ValueError(f"splits must be some of {', '.join(SPLIT_NAMES)}, got {splits!r}.")
    if not 0 < dev_fraction < 1:
        raise ValueError(f"dev_fraction must lie between 0 and 1, got {dev_fraction}.")
    info = REGISTRY.get(name) if isinstance(name, str) else None
    if info is not None and (info.problem_type == "regression") != regression:
        kind = "scores (regression)" if regression else "classes"
        raise ValueError(f"{name} is for {info.problem_type}, but {kind} are asked for here.")
    if info is not None:
        folder = find_folder(info, data_dir)
        if folder is not None:
            rows = read_splits(info, folder, splits, fold)
            return _task_dataset(name, list(info.labels), info.problem_type, rows, info)
        text_column, label_columns = info.hub_text_column, list(info.hub_label_columns or info.labels)
        sources, may_split = hub_copy(info), False
    else:
        name, sources, may_split = _own_sources(name, splits)

    # The labels are those of train, so train is read even where only another split is asked for.
    sources = {split: source for split, source in sources.items() if split == "train" or split in splits}
    if streaming and (info is None or info.folds is None):
        reader = ColumnReader(text_column, label_columns, regression)
        holdout = Holdout(dev_fraction, seed) if may_split and "dev" not in sources else None
        labels, problem_type, streamed = stream_splits(sources, reader, holdout, cache_dir)
        _check_splits(name, splits, streamed)
        streamed = datasets.DatasetDict({split: streamed[split] for split in splits})
        return _checked(TaskDataset(name, labels, problem_type, streamed, info))
    tables = {split: source.table() for split, source in sources.items()}
    if regression:
        labels, problem_type = list(label_columns or ["score"]), "regression"
        rows = {split: score_rows(table, labels, text_column) for split, table in tables.items()}
    else:
        named = {split: name_rows(table, text_column, label_columns) for split, table in tables.items()}
        first = next(iter(named.values()))
        labels, problem_type = first.label_space(), first.problem_type
        rows = {split: split_rows.encode(labels, problem_type) for split, split_rows in named.items()}
    # Also where dev is not asked for: train must be the same rows either way.
    if info is not None and info.folds is not None:
        for row, cells in zip(rows["train"], tables["train"].rows, strict=True):
            row["group"] = cells["group"]
        rows["train"], rows["dev"] = split_off_fold(rows["train"], info.folds, fold, SPLIT_SEED, info.name)
    elif may_split and "dev" not in tables:
        rows["train"], rows["dev"] = split_off_dev(rows["train"], dev_fraction, seed, tables["train"].source)
    _check_splits(name, splits, rows)
    return _task_dataset(name, labels, problem_type, {split: rows[split] for split in splits}, info)


def load_texts(
    name: Any,
    *,
    data_dir: str | None = None,
    text_column: str | None = None,
    streaming: bool = False,
    cache_dir: str | Path | None = None,
) -> TaskDataset:
    """Load the training texts of a dataset whose labels, if it has any, do not count.

    Args:
        name (`str`): As in [`load_task_dataset`], which registered datasets are loaded by.
        data_dir (`str`, *optional*): As in [`load_task_dataset`], and so are `streaming` and `cache_dir`.
        text_column (`str`, *optional*): The column of the texts, `text` by default. No other column is looked at.

    Returns:
        `TaskDataset`, of one's own data and those of the Hub with a train split alone, and no labels.

    Raises:
        FileNotFoundError: If the data are not there.
        ValueError: If a text is empty; the message names the file and the line.
    """
    if isinstance(name, str) and name in REGISTRY:
        regression = REGISTRY[name].problem_type == "regression"
        options: dict[str, Any] = {"regression": regression, "streaming": streaming, "cache_dir": cache_dir}
        return load_task_dataset(name, data_dir=data_dir, **options)
    name, sources, _ = _own_sources(name, ("train",))
    # Rows of scores, of which there are none.
    if streaming:
        reader = ColumnReader(text_column, [], regression=True)
        _, _, splits = stream_splits({"train": sources["train"]}, reader, None, cache_dir)
        return TaskDataset(name, [], "regression", splits, None)
    rows = score_rows(sources["train"].table(), [], text_column)
    return _task_dataset(name, [], "regression", {"train": rows}, None)


def _check_splits(name: str, asked: Sequence[str], found: Collection[str]) -> None:
    missing = [split for split in asked if split not in found]
    if missing:
        raise ValueError(f"{name} has no split {', '.join(missing)}; it has {', '.join(found)}.")


def _own_sources(name: Any, splits: Sequence[str]) -> tuple[str, dict[str, Source], bool]:
    """What messages call a dataset that is not registered, its splits, and whether dev may be a part of train."""
    if not isinstance(name, str | Path):
        parts = dict(name) if isinstance(name, Mapping) else {"train": name}
        rows = {split: plain_dataset(part, f"{IN_MEMORY} ({split})") for split, part in parts.items()}
        return IN_MEMORY, dataset_sources(datasets.DatasetDict(rows), IN_MEMORY), True
    name = str(name)
    if Path(name).is_dir():
        return Path(name).resolve().name, folder_sources(Path(name), splits), False
    if Path(name).exists() or Path(name).suffix.lower() in TABLE_SUFFIXES:
        # A file is train with dev still in it or, where nothing else is asked for, a test split.
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


def _task_dataset(
    name: str, labels: list[str], problem_type: str, rows: dict[str, list[dict[str, Any]]], info: DatasetInfo | None
) -> TaskDataset:
    splits = {}
    for split, split_rows in rows.items():
        features = row_features(problem_type, set.intersection(*(set(row) for row in split_rows)))
        columns = {column: [row[column] for row in split_rows] for column in features}
        splits[split] = datasets.Dataset.from_dict(columns, features=features)
    return _checked(TaskDataset(name, labels, problem_type, datasets.DatasetDict(splits), info))


def _checked(data: TaskDataset) -> TaskDataset:
    """The same data. Of their texts only those of dev are in memory here."""
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
            logger.warning("%s: %d of the %d dev texts stand in train, too.", data.name, count, len(dev.rows))
    return data


def _check_scores(data: TaskDataset) -> None:
    lowest, highest = np.full(len(data.labels), np.nan), np.full(len(data.labels), np.nan)
    for scores in data.target_batches("train"):
        lowest, highest = np.fmin(lowest, np.fmin.reduce(scores)), np.fmax(highest, np.fmax.reduce(scores))
    for label, low, high in zip(data.labels, lowest, highest, strict=True):
        # Not where there is no score at all, either: both are NaN.
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
