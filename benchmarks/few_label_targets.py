"""The targets of the benchmark of few labels: texts to draw from, and dev texts to score."""

import dataclasses

import numpy as np
from datasets import DatasetDict

from trainers.data import DIALOGUE_COLUMNS, TaskDataset, load_task_dataset

GOEMOTIONS, GOEMOTIONS_7 = "goemotions", "goemotions-7"
TARGETS = ("semeval2018-ec", "isear", "dair-emotion", "meld", GOEMOTIONS_7, "csr-emotion-posts")
# What a source model learns from for each target, which is never the target itself.
SOURCES = {target: "dair-emotion" if target == GOEMOTIONS_7 else GOEMOTIONS for target in TARGETS}
# Ekman's six emotions and neutral, as the authors of GoEmotions group its 28 labels.
EKMAN = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        *("admiration", "amusement", "approval", "caring", "desire", "excitement"),
        *("gratitude", "joy", "love", "optimism", "pride", "relief"),
    ),
    "sadness": ("disappointment", "embarrassment", "grief", "remorse", "sadness"),
    "surprise": ("confusion", "curiosity", "realization", "surprise"),
    "neutral": ("neutral",),
}


@dataclasses.dataclass(frozen=True)
class Target:
    """
    A target.

    Args:
        data (`TaskDataset`): Single texts: `train` to draw from, and `dev`.
        groups (`list[str]`): What each dev text belongs to: its dialogue, its writer, or its repetitions.
    """

    data: TaskDataset
    groups: list[str]

    @property
    def several(self) -> bool:
        """Whether a text may have several labels."""
        return self.data.problem_type == "multi_label_classification"

    def texts(self, split: str, rows: np.ndarray | None = None) -> list[str]:
        """The texts of a split, or some of them."""
        found = self.data.splits[split]
        return list((found if rows is None else found.select(rows))["text"][:])

    def drawn(self, rows: np.ndarray, name: str) -> TaskDataset:
        """The same data with some of the training texts alone."""
        splits = DatasetDict(train=self.data.splits["train"].select(rows), dev=self.data.splits["dev"])
        return dataclasses.replace(self.data, name=name, splits=splits)


def load_target(name: str, data_dir: str, pool: int) -> Target:
    """Load a target.

    Args:
        name (`str`): One of `TARGETS`.
        data_dir (`str`): Directory with one subfolder per registered dataset.
        pool (`int`): At most so many training texts are kept to draw from, at random.

    Raises:
        FileNotFoundError: If its files are not there.
    """
    data = load_task_dataset(GOEMOTIONS if name == GOEMOTIONS_7 else name, data_dir=data_dir)
    groups = data.groups("dev")
    rows = np.sort(np.random.default_rng(0).permutation(len(data.splits["train"]))[:pool])
    splits = DatasetDict(train=data.splits["train"].select(rows), dev=data.splits["dev"])
    # Utterances are single texts here.
    dialogue = [column for column in DIALOGUE_COLUMNS if column in splits["train"].column_names]
    data = dataclasses.replace(data, splits=splits.remove_columns(dialogue))
    return Target(in_seven(data) if name == GOEMOTIONS_7 else data, groups)


def in_seven(data: TaskDataset) -> TaskDataset:
    """GoEmotions in seven labels."""
    columns = [[data.labels.index(label) for label in members] for members in EKMAN.values()]
    splits = {}
    for split, rows in data.splits.items():
        targets = np.stack([data.targets(str(split))[:, members].max(axis=1) for members in columns], axis=1)
        splits[split] = rows.remove_columns("labels").add_column("labels", targets.tolist())
    return dataclasses.replace(data, name=GOEMOTIONS_7, labels=list(EKMAN), splits=DatasetDict(splits), info=None)
