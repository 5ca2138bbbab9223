"""The splits of a task, from a registered dataset, from files, from memory or from the Hub, checked before training."""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from .arrow_files import ColumnReader, TargetReader, map_splits
from .dataset_info import DatasetInfo
from .holdout import Holdout, StratifiedHoldout, split_off_dev
from .label_names import check_label_names, require_distinct, warn_of_separators, warn_of_similar_names
from .label_values import is_labelled
from .own_data import own_sources
from .registered_files import find_folder, hub_sources, published_sources
from .registry import find_dataset
from .sources import SPLIT_NAMES, ColumnValues
from .tables import BATCH_SIZE

logger = logging.getLogger(__name__)


@dataclass
class TaskDataset:
    """
    The splits of one task.

    Args:
        name (`str`): Name of the dataset: as registered, the name of the file or folder, or the id on the Hub.
        labels (`list[str]`): Label names, in the order of the targets.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        splits (`datasets.DatasetDict`): The splits that were asked for, with the columns `text` (string) and `labels`
            (a list of 0.0 and 1.0, one per label, or of scores, with NaN for what nobody annotated; or a class id),
            `language` where the data name it, those of [`~trainers.data.dialogues.DIALOGUE_COLUMNS`] where the texts
            are utterances in dialogues, and `group`, the writer of a text, where a dataset has folds of those.
        info (`DatasetInfo`, *optional*): Facts about it, for a registered dataset.
        notes (`list[str]`): What was done to it, in one or two sentences each, for the card.
        skipped (`list[dict]`): Rows that were left out because they are not valid or not labelled, each with `file`,
            `line` (or `row`) and `reason`.
    """

    name: str
    labels: list[str]
    problem_type: str
    splits: datasets.DatasetDict
    info: DatasetInfo | None
    notes: list[str] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)

    def targets(self, split: str) -> np.ndarray:
        """Multi-hot floats or scores `(texts, num_labels)`, or class ids `(texts,)`."""
        return np.concatenate(list(self.target_batches(split)))

    def labelled_targets(self, split: str) -> np.ndarray:
        """[`targets`] of the texts with any annotation: all but utterances that are context alone. Of a regression,
        all, since single scores may be missing."""
        return np.concatenate([self.labelled_rows(targets) for targets in self.target_batches(split)])

    def labelled_rows(self, targets: np.ndarray) -> np.ndarray:
        """Those of some rows' targets that are labelled."""
        if self.problem_type == "regression":
            return targets
        return targets[is_labelled(targets)]

    def groups(self, split: str) -> list[str]:
        """What each labelled text belongs to, for tests of significance: see [`row_groups`]."""
        found = self.row_groups(split)
        if self.problem_type == "regression":
            return found
        return [group for group, kept in zip(found, is_labelled(self.targets(split)), strict=True) if kept]

    def row_groups(self, split: str) -> list[str]:
        """What each text belongs to, labelled or not: its dialogue, else its writer, else its own words without case
        and spaces, which are those of its repetitions."""
        rows = self.splits[split]
        column = next((name for name in ("dialogue_id", "group") if name in rows.column_names), "text")
        return [" ".join(value.split()).casefold() for value in ColumnValues(rows, column)]

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
    label_names: list[str] | None = None,
    dialogue_columns: list[str] | None = None,
    splits: Sequence[str] = ("train", "dev"),
    dev_fraction: float | None = 0.1,
    seed: int = 42,
    fold: int = 0,
    regression: bool = False,
    labels: Sequence[str] | None = None,
    bad_rows: str = "error",
    unlabelled_rows: str = "error",
    cache_dir: str | Path | None = None,
) -> TaskDataset:
    """Load a dataset and check it.

    Its texts are written to Arrow files once and memory-mapped from there ([`~trainers.data.arrow_files.map_splits`]),
    so they may be larger than memory.

    Args:
        name (`str`, `Path`, `DataFrame`, `Dataset`, `list[dict]`, or `dict` of these by split): Data in memory, or what
            to load, the first of these that fits: a registered name; a .csv, .tsv, .jsonl or .parquet file; a folder
            that holds `train`, `dev` (or `val`, `valid`, `validation`) and optionally `test` as such files; the id of a
            dataset on the Hub, with a configuration after a colon where there are several (`org/name:config`). A dev
            split is split off from a file, and from data in memory without one. If only `test` is asked for, the whole
            file is the test split.
        data_dir (`str`, *optional*): Directory with one subfolder per registered dataset.
        text_column (`str`, *optional*): The column of the texts, `text` by default. Ignored for registered datasets.
        label_columns (`list[str]`, *optional*): The columns of the labels, `label` or `labels` by default, with the
            contents that [`~trainers.data.columns.name_rows`] accepts. Ignored for registered datasets.
        label_names (`list[str]`, *optional*): All labels, in order, where the label column holds 0/1 lists or numbers
            of labels. Ignored for registered datasets.
        dialogue_columns (`list[str]`, *optional*): The columns of the dialogue, of the utterance's place in it and of
            its speaker, if they are not `dialogue_id`, `utterance_id` and `speaker`; the last ones may be left out.
            Ignored for registered datasets.
        splits (`Sequence[str]`, defaults to `("train", "dev")`): Which of `train`, `dev` and `test` to load.
        dev_fraction (`float`, *optional*, defaults to 0.1): Part of the texts that becomes dev if there is no dev
            split. With `None`, your own data then have no dev split.
        seed (`int`, defaults to 42): Seed for drawing these texts.
        fold (`int`, defaults to 0): Which fold is dev, for a registered dataset that has folds.
        regression (`bool`, defaults to `False`): Whether the label columns hold scores
            ([`~trainers.data.columns.score_rows`]). A registered dataset must match.
        bad_rows (`str`, defaults to `"error"`): Whether a row that is not valid is an error (`"error"`), or such rows
            are left out, with a warning that counts them (`"skip"`). Registered datasets have their own rules.
        unlabelled_rows (`str`, defaults to `"error"`): The same for rows without a label: a blank, or -1 where that is
            not a label. In multi-label data, a blank means that a text has none of the labels. In dialogues,
            `"context"` keeps them, to be read but neither learnt from nor scored; so it does in a registered dataset
            that has such utterances, which are left out otherwise.
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
    if dev_fraction is not None and not 0 < dev_fraction < 1:
        raise ValueError(f"dev_fraction must lie between 0 and 1, got {dev_fraction}.")
    require_distinct(label_columns or [], "label_columns")
    check_label_names(label_names)
    require_distinct(dialogue_columns or [], "dialogue_columns")
    if regression and label_names is not None:
        raise ValueError("label_names are for labels, not for scores: name the score columns in label_columns.")
    info = find_dataset(name)
    if info is not None and (info.problem_type == "regression") != regression:
        kind = "scores (regression)" if regression else "classes"
        raise ValueError(f"{name} is for {info.problem_type}, but {kind} are needed here.")
    folder = None if info is None else find_folder(info, data_dir)
    reader: ColumnReader | TargetReader = ColumnReader(
        text_column,
        label_columns,
        regression,
        label_names=label_names,
        dialogue_columns=dialogue_columns,
        bad_rows=bad_rows,
        unlabelled_rows=unlabelled_rows,
        labels=None if labels is None else list(labels),
    )
    check = reader.check()
    holdout: Holdout | None = None
    if info is not None and folder is not None:
        sources, holdout = published_sources(info, folder, splits, fold)
        reader = TargetReader(list(info.labels), info.problem_type)
    elif info is not None:
        sources, holdout = hub_sources(info, fold)
        group_column = None if info.folds is None else "group"
        columns = list(info.hub_label_columns or info.labels)
        several = isinstance(info.hub_config, tuple)
        reader = ColumnReader(info.hub_text_column, columns, regression, group_column, blanks_are_missing=several)
    else:
        name, sources, may_split = own_sources(name, splits, check)
        # Even if dev is not asked for: train must be the same rows either way.
        if may_split and "train" in sources and "dev" not in sources:
            if dev_fraction is None:
                splits = [split for split in splits if split != "dev"] or splits
            else:
                holdout = StratifiedHoldout(dev_fraction, seed)
    _check_splits(name, splits, [*sources, *(["dev"] if holdout and "train" in sources else [])])
    # Train defines the labels, so it is read even if only another split is asked for.
    sources = {split: source for split, source in sources.items() if split == "train" or split in splits}
    names, problem_type, found, skipped = map_splits(sources, reader, cache_dir)
    if holdout is not None and "train" in found:
        called = sources["train"].name if info is None else info.name
        found["train"], found["dev"] = split_off_dev(found["train"], holdout, called)
    rows = {split: found[split] for split in splits}
    if info is not None and info.has_context and unlabelled_rows != "context":
        rows = {
            split: part.select(np.flatnonzero(is_labelled(np.asarray(part["labels"])))) for split, part in rows.items()
        }
    if "dialogue_id" in next(iter(rows.values())).column_names:
        rows = {split: part.remove_columns({"group"} & set(part.column_names)) for split, part in rows.items()}
    return _checked(TaskDataset(name, names, problem_type, datasets.DatasetDict(rows), info, skipped=skipped))


def load_texts(
    name: Any,
    *,
    data_dir: str | None = None,
    text_column: str | None = None,
    bad_rows: str = "error",
    cache_dir: str | Path | None = None,
) -> TaskDataset:
    """Load the training texts of a dataset, without regard to any labels.

    Args:
        name (`str`): As in [`load_task_dataset`], which loads registered datasets.
        data_dir (`str`, *optional*): As in [`load_task_dataset`], and so are `bad_rows` and `cache_dir`.
        text_column (`str`, *optional*): The column of the texts, `text` by default. Other columns are ignored.

    Returns:
        `TaskDataset`. Unless the dataset is registered, it has only a train split and no labels.

    Raises:
        FileNotFoundError: If the data are missing.
        ValueError: If a text is empty; the message names the file and the line.
    """
    info = find_dataset(name)
    if info is not None:
        regression = info.problem_type == "regression"
        return load_task_dataset(name, data_dir=data_dir, regression=regression, cache_dir=cache_dir)
    # Read as rows of scores, of which there are none.
    reader = ColumnReader(text_column, [], regression=True, bad_rows=bad_rows)
    name, sources, _ = own_sources(name, ("train",), reader.check())
    _, _, splits, skipped = map_splits({"train": sources["train"]}, reader, cache_dir)
    return TaskDataset(name, [], "regression", splits, None, skipped=skipped)


def _check_splits(name: str, asked: Sequence[str], found: Collection[str]) -> None:
    missing = [split for split in asked if split not in found]
    if missing:
        raise ValueError(f"{name} has no split {', '.join(missing)}; it has {', '.join(found)}.")


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
    first, alike, counts = None, True, np.zeros(len(labels), dtype=np.int64)
    for targets in map(data.labelled_rows, data.target_batches("train")):
        if not len(targets):
            continue
        first = targets[0] if first is None else first
        alike = alike and bool((targets == first).all())
        counts += np.bincount(targets, minlength=len(labels)) if single else np.nansum(targets, axis=0).astype(np.int64)
    if first is None:
        raise ValueError(f"{name}: no row of train has a label; there is nothing to learn.")
    if alike:
        found = [label for label, count in zip(labels, counts, strict=True) if count]
        what = f"the label {found[0]}" if single else f"the labels {found}"
        rows = len(data.splits["train"])
        raise ValueError(f"{name}: all {rows} rows of train have {what}; there is nothing to learn.")
    absent = [label for label, count in zip(labels, counts, strict=True) if not count]
    if absent:
        logger.warning("%s: no row of train has the label %s.", name, ", ".join(absent))
    warn_of_separators(name, labels)
    warn_of_similar_names(name, dict(zip(labels, counts.tolist(), strict=True)))
