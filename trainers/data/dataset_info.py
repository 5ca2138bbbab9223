"""Facts about a published dataset: its files, its labels, where to get it and how to cite it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DatasetInfo:
    """
    Facts about one published dataset.

    Args:
        name (`str`): The name it is registered under.
        folder (`str`): Its folder in `--data_dir`.
        splits (`dict[str, tuple[str, ...]]`): By split, its files (names or glob patterns in `folder`). Train and dev
            share their files if `folds` or `dev_fraction` divides them.
        labels (`tuple[str, ...]`): Label names, in the order of the targets.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        hub_id (`str`, *optional*): Its id on the Hub, used if no `--data_dir` is given.
        license (`str`): Licence as Hub cards name it; `"other"` if it is none of theirs.
        citation (`str`): BibTeX.
        homepage (`str`): Where to read about it and get it.
        description (`str`): One line.
        reader (`Callable[[Path], list[dict]]`): From one file to rows of `id`, `text` and `labels` (`list[float]`
            multi-hot or scores, NaN where nobody annotated, or `int` class id), and `group` if there are `folds`.
            Dialogues also have `dialogue_id`, `utterance_id` and `speaker`, data in several languages `language`. Other
            keys are ignored.
        hub_config (`str` or `tuple[str, ...]`, *optional*): Its configuration on the Hub; of several, one per language,
            all are read, and the rows get a column `language`.
        hub_text_column (`str`, defaults to `"text"`): The column of the texts on the Hub.
        hub_label_columns (`tuple[str, ...]`, *optional*): The label columns on the Hub; by default one per label, named
            as in `labels`.
        bundled (`bool`, defaults to `False`): Whether it is bundled with the package.
        keep_conflicting (`bool`, defaults to `False`): Whether to keep rows with the same id and different labels when
            the files of a split are joined.
        keep_once (`str`, *optional*): `"id"` or `"text"`: when the files of a split are joined, only the first of
            several rows with the same value and the same labels is kept.
        join_scores (`bool`, defaults to `False`): Whether to merge the rows of an id, each with some of its scores.
        folds (`int`, *optional*): Number of folds of groups that train is divided into; one of them is dev.
        has_context (`bool`, defaults to `False`): Whether there are utterances that are context alone, labelled -100.
            They are left out unless `unlabelled_rows` is `"context"`.
        dev_fraction (`float`, *optional*): Part of the texts of train that is dev.
        protocol (`str`, *optional*): What scores over its folds may and may not be compared with.
        languages (`tuple[str, ...]`, defaults to `("en",)`): ISO 639 codes of its languages, for cards.
        files_may_be_missing (`bool`, defaults to `False`): Whether a split may lack some of its files, but not all.
    """

    name: str
    folder: str
    splits: dict[str, tuple[str, ...]]
    labels: tuple[str, ...]
    problem_type: str
    hub_id: str | None
    license: str
    citation: str
    homepage: str
    description: str
    reader: Callable[[Path], list[dict[str, Any]]]
    hub_config: str | tuple[str, ...] | None = None
    hub_text_column: str = "text"
    hub_label_columns: tuple[str, ...] | None = None
    bundled: bool = False
    keep_conflicting: bool = False
    keep_once: str | None = None
    join_scores: bool = False
    folds: int | None = None
    dev_fraction: float | None = None
    protocol: str | None = None
    has_context: bool = False
    languages: tuple[str, ...] = ("en",)
    files_may_be_missing: bool = False
