"""The options of each task, such as `--emotion_dataset`, generated from one description per task."""

from dataclasses import dataclass, field, make_dataclass
from typing import Any

GIVEN = "given as --emotion_dataset is"


@dataclass(frozen=True)
class TaskDescription:
    """
    Defaults and help texts of the options of a task.

    Args:
        texts (`str`): Name for its texts.
        dataset (`str`): Help text of `--TASK_dataset`.
        default (`str`, *optional*): Default of `--TASK_dataset`.
        label_columns (`str`, *optional*): Help text of `--TASK_label_columns`; `None` if the task has no labels.
        classes (`bool`): Whether the labels are classes, which may be named in `--TASK_label_names`, or scores.
    """

    texts: str
    dataset: str
    default: str | None = None
    label_columns: str | None = "Label column, or several 0/1 columns, of your own {texts} (default: label or labels)."
    classes: bool = True

    def options(self, task: str) -> list[tuple[str, Any, Any]]:
        """Name, type and field of each option, as [`dataclasses.make_dataclass`] takes them."""
        text_column = f"Text column of your own {self.texts} (default: text)."
        options: list[tuple[str, Any, Any]] = [
            (f"{task}_dataset", str | None, field(default=self.default, metadata={"help": self.dataset})),
            (f"{task}_text_column", str | None, field(default=None, metadata={"help": text_column})),
        ]
        if self.label_columns is not None:
            about = self.label_columns.format(texts=self.texts)
            options += [(f"{task}_label_columns", list[str] | None, field(default=None, metadata={"help": about}))]
        if self.label_columns is not None and self.classes:
            names = f"All labels, in order, where the label column of your own {self.texts} has 0/1 lists or numbers."
            options += [(f"{task}_label_names", list[str] | None, field(default=None, metadata={"help": names}))]
        return options


TASKS = {
    "emotion": TaskDescription(
        "emotion data",
        "The emotion data: a registered name (csr-emotion-posts, semeval2018-ec), a folder with train.* and dev.* "
        "files, one CSV / TSV / JSON / JSON Lines / Parquet file, or a Hub dataset id.",
        "csr-emotion-posts",
    ),
    "sentiment": TaskDescription(
        "sentiment data",
        f"The sentiment (source) data, {GIVEN}; registered: csr-emotion-posts-sentiment, semeval2017-4a.",
        "csr-emotion-posts-sentiment",
    ),
    "related": TaskDescription(
        "related data",
        "A further source, for the recipes that start from one with richer labels than sentiment; "
        f"{GIVEN}. Default: goemotions.",
    ),
    "intensity": TaskDescription(
        "intensity data",
        "Texts with the intensities of emotions, for the multi-task recipes: registered (csr-emotion-posts-intensity, "
        f"semeval2018-ei-reg-intensity), or {GIVEN}.",
        "csr-emotion-posts-intensity",
        "Score columns, one per emotion, of your own {texts} (default: score).",
        classes=False,
    ),
    "valence": TaskDescription(
        "valence data",
        "Texts with their valence, for the multi-task recipes: registered (csr-emotion-posts-valence, "
        f"semeval2018-v-reg), or {GIVEN}.",
        "csr-emotion-posts-valence",
        "Score column of your own {texts} (default: score).",
        classes=False,
    ),
    "unlabelled": TaskDescription(
        "unlabelled data",
        "Texts that self-trained stages (model-3.4) label themselves, such as semeval2017-4a-all; "
        f"{GIVEN}, but it needs no labels and no dev split; also a .txt file with one text per line. Default: "
        "--sentiment_dataset.",
        label_columns=None,
    ),
}

# `Any`, since type checkers cannot see into a class made at run time.
TaskArguments: Any = make_dataclass("TaskArguments", [option for task in TASKS for option in TASKS[task].options(task)])
