"""Arguments for the training texts, and how to read them."""

from dataclasses import dataclass, field
from typing import Any

from ..data import (
    AUGMENTATIONS,
    AUTO_STEPS,
    BAD_ROWS,
    NORMALIZATION_STEPS,
    ROWS_WITHOUT_LABELS,
    UNLABELLED_ROWS,
    check_augmentations,
    require_distinct,
)
from ..recipes import REGRESSION_TASKS
from ..training_arguments import check_ranges
from .task_arguments import TASKS, TaskArguments

# In place of the number of a fold: each of them in turn.
ALL_FOLDS = "all"


@dataclass
class DataArguments(TaskArguments):
    """The training texts, and how to read them. Each task in `TASKS` has its own dataset and columns."""

    data_dir: str | None = field(
        default=None, metadata={"help": "Directory with one subfolder per registered dataset."}
    )
    emotion_fold: str = field(
        default="0",
        metadata={
            "help": "Fold to use as dev, from 0, for emotion data with folds (isear; iemocap: leave one session out). "
            "With all, csr-emotion train and run_dialogue.py run once per fold and write a table of them."
        },
    )
    emotion_dialogue_columns: list[str] | None = field(
        default=None,
        metadata={
            "help": "Columns of the dialogue, of the utterance's place in it and of its speaker, in your own emotion "
            "data (default: dialogue_id utterance_id speaker); the last ones may be left out."
        },
    )
    context_turns: int = field(
        default=0,
        metadata={
            "help": "For utterances in dialogues and recipes that read single texts: up to how many of the utterances "
            "before it each is joined with, each with a letter for its speaker. Needs a larger --max_length."
        },
    )
    bad_rows: str = field(
        default="error",
        metadata={
            "help": "What to do with rows of your own data that are not valid: stop at the first (error), or leave "
            "them out and list them with their reasons in skipped_rows.jsonl in --output_dir (skip).",
            "choices": BAD_ROWS,
        },
    )
    unlabelled_rows: str = field(
        default="error",
        metadata={
            "help": "The same for rows that nobody has labelled: with a blank label, or -1 where that is not a label. "
            "In dialogues they may also be kept as context, which is read but neither learnt from nor scored.",
            "choices": UNLABELLED_ROWS,
        },
    )
    max_unlabelled_samples: int = field(
        default=20_000, metadata={"help": "Use at most this many unlabelled texts, drawn by --seed."}
    )
    max_train_samples: int | None = field(
        default=None,
        metadata={"help": "Use only this many training texts per dataset, stratified by label, drawn by --seed."},
    )
    emotion_train_fraction: float | None = field(
        default=None,
        metadata={
            "help": "Use only this fraction (0..1) of the emotion training texts, stratified by label, drawn by "
            "--seed; smaller fractions are subsets of larger ones."
        },
    )
    emotion_labels: list[str] | None = field(
        default=None, metadata={"help": "Use only these labels of multi-label emotion data, such as joy pride relief."}
    )
    rows_without_labels: str = field(
        default="keep",
        metadata={
            "help": "What to do with texts that have none of --emotion_labels: keep them, as texts without a label, or "
            "drop them, also from dev.",
            "choices": ROWS_WITHOUT_LABELS,
        },
    )
    augment_rare: int = field(
        default=0,
        metadata={
            "help": "Add changed copies of emotion training texts until each label has this many (0: none). Needs the "
            "search extra."
        },
    )
    augmentations: list[str] = field(
        default_factory=lambda: list(AUGMENTATIONS),
        metadata={
            "help": f"How --augment_rare changes a copy, one of these chosen at random: {', '.join(AUGMENTATIONS)}."
        },
    )
    normalization: list[str] = field(
        default_factory=lambda: list(AUTO_STEPS),
        metadata={
            "help": f"Tweet normalisation steps to build into the tokenizer: any of {', '.join(NORMALIZATION_STEPS)}; "
            "none for raw text; or auto, all of them, but emoji only for vocabularies without emoji."
        },
    )

    def __post_init__(self) -> None:
        for task in TASKS:
            for kind in ("label_columns", "label_names", "dialogue_columns"):
                require_distinct(getattr(self, f"{task}_{kind}", None) or [], f"--{task}_{kind}")
        check_ranges(vars(self))
        # From Python it may be a number.
        self.emotion_fold = str(self.emotion_fold)
        if self.emotion_fold != ALL_FOLDS:
            if not self.emotion_fold.removeprefix("-").isdecimal():
                raise ValueError(f"--emotion_fold must be the number of a fold, or all; got {self.emotion_fold}.")
            check_ranges({"emotion_fold": int(self.emotion_fold)})
        if self.dataset("unlabelled") is None:
            self.unlabelled_dataset = self.dataset("sentiment")
            self.unlabelled_text_column = self.columns("sentiment")["text_column"]
        if self.normalization == ["none"]:
            self.normalization = []
        if self.augment_rare and self.context_turns:
            raise ValueError("--augment_rare changes texts, not dialogues: leave it or --context_turns out.")
        if self.augment_rare:
            check_augmentations(self.augmentations)

    def sample_size(self, task: str, texts: int) -> int:
        """Number of a task's training texts to use."""
        size = min(texts, self.max_train_samples or texts)
        if task == "unlabelled":
            size = min(size, self.max_unlabelled_samples)
        if task == "emotion" and self.emotion_train_fraction is not None:
            size = max(1, round(size * self.emotion_train_fraction))
        return size

    def dataset(self, task: str) -> str | None:
        """The dataset of a task, if one is given."""
        return getattr(self, f"{task}_dataset")

    def columns(self, task: str) -> dict[str, Any]:
        """Keyword arguments of `load_task_dataset` for a task; of `load_texts` for unlabelled texts."""
        columns = {"text_column": getattr(self, f"{task}_text_column"), "bad_rows": self.bad_rows}
        if TASKS[task].label_columns is None:
            return columns
        is_context = self.unlabelled_rows == "context"
        columns |= {
            "label_columns": getattr(self, f"{task}_label_columns"),
            "regression": task in REGRESSION_TASKS,
            # Context is for the texts of dialogues, which are emotion data.
            "unlabelled_rows": "error" if is_context and task != "emotion" else self.unlabelled_rows,
        }
        if TASKS[task].classes:
            columns["label_names"] = getattr(self, f"{task}_label_names")
        if task == "emotion":
            if self.emotion_fold == ALL_FOLDS:
                raise ValueError(
                    "--emotion_fold all is for csr-emotion train and run_dialogue.py. Name one fold here, such as 0."
                )
            columns |= {"fold": int(self.emotion_fold), "dialogue_columns": self.emotion_dialogue_columns}
        return columns
