"""The arguments that say which texts are learnt from, and how they are read."""

from dataclasses import dataclass, field
from typing import Any

from ..data import AUGMENTATIONS, NORMALIZATION_STEPS, ROWS_WITHOUT_LABELS, check_augmentations
from ..recipes import REGRESSION_TASKS


@dataclass
class DataArguments:
    """Which texts, and how they are read."""

    emotion_dataset: str = field(
        default="csr-emotion-posts",
        metadata={
            "help": "The emotion data: a registered name (csr-emotion-posts, semeval2018-ec), a folder with train.* "
            "and dev.* files, one CSV / TSV / JSON Lines / Parquet file, or a Hub dataset id."
        },
    )
    sentiment_dataset: str = field(
        default="csr-emotion-posts-sentiment",
        metadata={
            "help": "The sentiment (source) data, given as --emotion_dataset is; registered: "
            "csr-emotion-posts-sentiment, semeval2017-4a."
        },
    )
    related_dataset: str | None = field(
        default=None,
        metadata={
            "help": "A further source for the recipes that start from one with richer labels than sentiment, such as "
            "goemotions; given as --emotion_dataset is."
        },
    )
    intensity_dataset: str = field(
        default="csr-emotion-posts-intensity",
        metadata={
            "help": "Texts with the intensities of emotions, for the multi-task recipes: registered "
            "(csr-emotion-posts-intensity, semeval2018-ei-reg-intensity), or given as --emotion_dataset is."
        },
    )
    valence_dataset: str = field(
        default="csr-emotion-posts-valence",
        metadata={
            "help": "Texts with their valence, for the multi-task recipes: registered (csr-emotion-posts-valence, "
            "semeval2018-v-reg), or given as --emotion_dataset is."
        },
    )
    data_dir: str | None = field(
        default=None, metadata={"help": "Directory with one subfolder per registered dataset."}
    )
    emotion_text_column: str | None = field(
        default=None, metadata={"help": "Text column of your own emotion data (default: text)."}
    )
    emotion_label_columns: list[str] | None = field(
        default=None,
        metadata={"help": "Label column, or several 0/1 columns, of your own emotion data (default: label or labels)."},
    )
    emotion_fold: int = field(
        default=0,
        metadata={
            "help": "Which fold is dev, from 0, where the emotion data have folds (isear; iemocap: leave one session "
            "out)."
        },
    )
    sentiment_text_column: str | None = field(
        default=None, metadata={"help": "Text column of your own sentiment data (default: text)."}
    )
    sentiment_label_columns: list[str] | None = field(
        default=None, metadata={"help": "Label column(s) of your own sentiment data (default: label or labels)."}
    )
    related_text_column: str | None = field(
        default=None, metadata={"help": "Text column of your own related data (default: text)."}
    )
    related_label_columns: list[str] | None = field(
        default=None, metadata={"help": "Label column(s) of your own related data (default: label or labels)."}
    )
    intensity_text_column: str | None = field(
        default=None, metadata={"help": "Text column of your own intensity data (default: text)."}
    )
    intensity_label_columns: list[str] | None = field(
        default=None,
        metadata={"help": "Columns of the scores, one an emotion, of your own intensity data (default: score)."},
    )
    valence_text_column: str | None = field(
        default=None, metadata={"help": "Text column of your own valence data (default: text)."}
    )
    valence_label_columns: list[str] | None = field(
        default=None, metadata={"help": "Column of the scores of your own valence data (default: score)."}
    )
    unlabelled_dataset: str | None = field(
        default=None,
        metadata={
            "help": "Texts that self-trained stages (model-3.4) label themselves, such as semeval2017-4a-all; given as "
            "--emotion_dataset is, without need of labels or a dev split; also a .txt file, a text a line. Default: "
            "--sentiment_dataset."
        },
    )
    unlabelled_text_column: str | None = field(
        default=None, metadata={"help": "Text column of your own such texts (default: text)."}
    )
    max_unlabelled_samples: int = field(
        default=20_000, metadata={"help": "Use at most this many of them, drawn by --seed."}
    )
    max_train_samples: int | None = field(
        default=None,
        metadata={"help": "Use only this many training texts of each dataset, stratified by label, drawn by --seed."},
    )
    emotion_train_fraction: float | None = field(
        default=None,
        metadata={
            "help": "Use only this share (0..1) of the emotion training texts, stratified by label, drawn by --seed; "
            "smaller shares are parts of larger ones."
        },
    )
    emotion_labels: list[str] | None = field(
        default=None, metadata={"help": "Use only these labels of multi-label emotion data, such as joy pride relief."}
    )
    rows_without_labels: str = field(
        default="keep",
        metadata={
            "help": "Texts that have none of --emotion_labels: keep them, as texts without a label, or drop them, from "
            "dev as well.",
            "choices": ROWS_WITHOUT_LABELS,
        },
    )
    augment_rare: int = field(
        default=0,
        metadata={
            "help": "Add changed copies of emotion training texts until each label has this many. 0: none. Needs the "
            "search extra."
        },
    )
    augmentations: list[str] = field(
        default_factory=lambda: list(AUGMENTATIONS),
        metadata={"help": f"How --augment_rare changes a copy, one of these at random: {', '.join(AUGMENTATIONS)}."},
    )
    normalization: list[str] = field(
        default_factory=lambda: list(NORMALIZATION_STEPS),
        metadata={
            "help": "Steps of tweet normalisation built into the tokenizer: any of "
            f"{', '.join(NORMALIZATION_STEPS)}, or none for raw text."
        },
    )

    streaming: bool = field(
        default=False,
        metadata={
            "help": "For data larger than memory: your own files and Hub datasets pass to a file in the cache of the "
            "datasets library (HF_DATASETS_CACHE) some thousands of texts at a time, and are mapped from there. A dev "
            "split is then drawn without regard to labels. Registered datasets that are read from --data_dir are "
            "small and come as they do without it. Stages on frozen representations, self-training and multi-task "
            "stages still list their texts."
        },
    )

    def __post_init__(self) -> None:
        if self.streaming and (self.emotion_labels is not None or self.augment_rare):
            option = "--augment_rare" if self.emotion_labels is None else "--emotion_labels"
            raise ValueError(f"{option} needs all texts in memory: leave --streaming out, or {option}.")
        if self.max_train_samples is not None and self.max_train_samples < 1:
            raise ValueError(f"--max_train_samples must be at least 1, got {self.max_train_samples}.")
        if self.max_unlabelled_samples < 1:
            raise ValueError(f"--max_unlabelled_samples must be at least 1, got {self.max_unlabelled_samples}.")
        if self.unlabelled_dataset is None:
            self.unlabelled_dataset = self.sentiment_dataset
            self.unlabelled_text_column = self.sentiment_text_column
        if self.emotion_train_fraction is not None and not 0 < self.emotion_train_fraction <= 1:
            raise ValueError(f"--emotion_train_fraction must lie in (0, 1], got {self.emotion_train_fraction}.")
        if self.normalization == ["none"]:
            self.normalization = []
        if self.augment_rare < 0:
            raise ValueError(f"--augment_rare must not be below 0, got {self.augment_rare}.")
        if self.augment_rare:
            check_augmentations(self.augmentations)

    def sample_size(self, task: str, texts: int) -> int:
        """How many of a task's training texts are used."""
        size = min(texts, self.max_train_samples or texts)
        if task == "unlabelled":
            size = min(size, self.max_unlabelled_samples)
        if task == "emotion" and self.emotion_train_fraction is not None:
            size = max(1, round(size * self.emotion_train_fraction))
        return size

    def columns(self, task: str) -> dict[str, Any]:
        """What `load_task_dataset` (of unlabelled texts `load_texts`) is told of a task: its columns, whether they hold
        scores, its fold, and whether the texts pass by."""
        if task == "unlabelled":
            return {"text_column": self.unlabelled_text_column, "streaming": self.streaming}
        columns = {name: getattr(self, f"{task}_{name}") for name in ("text_column", "label_columns")}
        fold = {"fold": self.emotion_fold} if task == "emotion" else {}
        return {**columns, **fold, "regression": task in REGRESSION_TASKS, "streaming": self.streaming}
