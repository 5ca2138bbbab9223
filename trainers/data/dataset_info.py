"""What is known of a published dataset: its files, its labels, where to get it and how to cite it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DatasetInfo:
    """
    What is known of one published dataset.

    Args:
        name (`str`): The name it is asked for by.
        folder (`str`): Its folder below `--data_dir`.
        splits (`dict[str, tuple[str, ...]]`): By split, its files (names or glob patterns in `folder`). Train and dev
            have the same files where `folds` or `dev_fraction` divides them.
        labels (`tuple[str, ...]`): Label names, in the order of the targets.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        hub_id (`str`, *optional*): Its id on the Hub, tried where no `--data_dir` is given.
        license (`str`): Licence as the Hub's cards name it; `"other"` where there is none of these.
        citation (`str`): BibTeX.
        homepage (`str`): Where to read about it and get it.
        description (`str`): One line.
        reader (`Callable[[Path], list[dict]]`): From one file to rows of `id`, `text` and `labels` (`list[float]`
            multi-hot or scores, or `int` class id), and `group` where there are `folds`. Of dialogues also
            `dialogue_id`, `utterance_id` and `speaker`. Further keys are not used.
        hub_config (`str`, *optional*): Its configuration on the Hub.
        hub_text_column (`str`, defaults to `"text"`): The column of the texts on the Hub.
        hub_label_columns (`tuple[str, ...]`, *optional*): The columns of the labels on the Hub; one per label, named as
            in `labels`, by default.
        bundled (`bool`, defaults to `False`): Whether it comes with the repository.
        keep_conflicting (`bool`, defaults to `False`): Whether rows of the same id with different labels are kept where
            the files of a split are joined.
        keep_once (`str`, *optional*): `"id"` or `"text"`: where the files of a split are joined, rows that have the
            same one and the same labels are kept once.
        join_scores (`bool`, defaults to `False`): Whether the rows of an id, each with some of its scores, become one.
        folds (`int`, *optional*): In how many folds of groups train is divided; one of them is dev.
        dev_fraction (`float`, *optional*): Part of the texts of train that is dev.
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
    hub_config: str | None = None
    hub_text_column: str = "text"
    hub_label_columns: tuple[str, ...] | None = None
    bundled: bool = False
    keep_conflicting: bool = False
    keep_once: str | None = None
    join_scores: bool = False
    folds: int | None = None
    dev_fraction: float | None = None
