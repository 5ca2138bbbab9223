"""The labelled texts of a dataset, with their place in it and what belongs together."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data import TaskDataset, is_labelled, stratified_folds


@dataclass(frozen=True)
class LabelledTexts:
    """
    The labelled texts of all splits of a dataset, in their order.

    Args:
        name (`str`): Name of the dataset.
        labels (`list[str]`): Label names, in the order of the targets.
        problem_type (`str`): `"multi_label_classification"` or `"single_label_classification"`.
        texts (`list[str]`): The texts.
        targets (`np.ndarray`): Multi-hot floats `(texts, labels)`, NaN where nobody annotated a label; or class ids
            `(texts,)`.
        splits (`list[str]`): The split of each text.
        rows (`list[int]`): Its number in that split, from 1.
        groups (`list[str]`): What each text belongs to: its dialogue, its writer, or its repetitions.
    """

    name: str
    labels: list[str]
    problem_type: str
    texts: list[str]
    targets: np.ndarray
    splits: list[str]
    rows: list[int]
    groups: list[str]

    @property
    def several(self) -> bool:
        """Whether a text may have several labels."""
        return self.problem_type == "multi_label_classification"

    def names(self, row: int) -> list[str]:
        """The labels of a text."""
        if not self.several:
            return [self.labels[self.targets[row]]]
        return [label for label, given in zip(self.labels, self.targets[row], strict=True) if given == 1]

    def counts(self) -> np.ndarray:
        """How many texts have each label, of shape `(labels,)`."""
        if not self.several:
            return np.bincount(self.targets, minlength=len(self.labels))
        return np.nansum(self.targets, axis=0).astype(np.int64)

    def folds(self, number: int, seed: int = 42) -> np.ndarray:
        """The fold of each text, of shape `(texts,)`: each label in all of them, no group in two.

        Raises:
            ValueError: If there are fewer groups than folds.
        """
        different = len(set(self.groups))
        if different < number:
            raise ValueError(
                f"{self.name} has {different} different labelled texts, dialogues or writers: too few for {number} "
                "folds."
            )
        return stratified_folds(np.nan_to_num(self.targets), number, seed, self.groups)


def labelled_texts(data: TaskDataset) -> LabelledTexts:
    """The labelled texts of a dataset, of all its splits.

    Raises:
        ValueError: If the data are scores rather than labels.
    """
    if data.problem_type == "regression":
        raise ValueError(f"{data.name} has scores; this is for labels.")
    texts, targets, places, groups = list[str](), [], list[tuple[str, int]](), list[str]()
    for split, rows in data.splits.items():
        found = data.targets(split)
        kept = np.flatnonzero(is_labelled(found))
        own: Any = rows["text"][:]
        texts += [own[row] for row in kept]
        targets.append(found[kept])
        places += [(str(split), int(row) + 1) for row in kept]
        groups += data.groups(str(split))
    splits, numbers = (list(column) for column in zip(*places, strict=True))
    return LabelledTexts(
        data.name, data.labels, data.problem_type, texts, np.concatenate(targets), splits, numbers, groups
    )


__all__ = ["LabelledTexts", "labelled_texts"]
