"""All arguments of a run as dataclasses, by kind: here those of stages that train small networks, and of publishing."""

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, get_type_hints

from modeling_csr import SIAMESE_LOSSES

from ..data import MAX_UTTERANCES
from ..siamese_trainer import PAIR_STRATEGIES, PAIR_TARGETS
from ..training_arguments import StageTrainingArguments, check_ranges
from .adapter_arguments import AdapterArguments
from .data_arguments import DataArguments
from .model_arguments import ModelArguments


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
    siamese_num_train_epochs: float | None = field(
        default=None,
        metadata={"help": "Epochs of the Siamese stage. Default: 3, and more below 4,000 texts, up to 30 below 100."},
    )
    siamese_train_batch_size: int = field(default=128, metadata={"help": "Pairs per batch in each process."})

    def __post_init__(self) -> None:
        check_ranges(vars(self))


@dataclass
class CommonSpaceArguments:
    """The common-space stages."""

    common_size: int | None = field(
        default=None, metadata={"help": "Width of the common space (default: half of P_E)."}
    )
    common_intermediate_size: int | None = field(
        default=None, metadata={"help": "Width of the hidden layers on either side (default: that of P_E)."}
    )
    common_dropout: float = field(default=0.1, metadata={"help": "Dropout in the common-space encoder and classifier."})
    prediction_loss_weight: float = field(default=1.0, metadata={"help": "Weight of the label loss."})
    reconstruction_loss_weight: float = field(default=1.0, metadata={"help": "Weight of the reconstruction loss."})
    common_learning_rate: float = field(default=5e-4, metadata={"help": "Learning rate of the common-space stages."})
    common_num_train_epochs: float | None = field(
        default=None,
        metadata={
            "help": "Epochs of the common-space stages. Default: 10, and more below 4,000 texts, up to 100 below 100."
        },
    )
    common_train_batch_size: int = field(default=64, metadata={"help": "Texts per batch in each process."})

    def __post_init__(self) -> None:
        check_ranges(vars(self))


@dataclass
class DialogueArguments:
    """The dialogue stages."""

    dialogue_size: int = field(default=128, metadata={"help": "Width of the layers over the dialogue."})
    dialogue_attention_heads: int = field(default=4, metadata={"help": "Heads of the attention over the dialogue."})
    dialogue_utterance_dropout: float = field(
        default=0.3, metadata={"help": "Dropout on the representations of utterances."}
    )
    dialogue_dropout: float = field(
        default=0.3, metadata={"help": "Dropout in the dialogue layers and before the classifier."}
    )
    dialogue_learning_rate: float = field(default=5e-4, metadata={"help": "Learning rate of the dialogue stages."})
    dialogue_num_train_epochs: float = field(default=10.0, metadata={"help": "Epochs of the dialogue stages."})
    dialogue_train_batch_size: int = field(default=16, metadata={"help": "Dialogues per batch in each process."})
    max_utterances: int = field(
        default=MAX_UTTERANCES,
        metadata={"help": "Longer dialogues are cut into pieces of at most this many utterances."},
    )

    def __post_init__(self) -> None:
        check_ranges(vars(self))


@dataclass
class HubArguments:
    """Publishing, in addition to the hub options of transformers (--push_to_hub, --hub_model_id, ...)."""

    card_examples: bool = field(
        default=False,
        metadata={
            "help": "Show a training text per label in the cards. Only use this if the texts may be published; "
            "otherwise, bundled posts illustrate the labels that they have."
        },
    )
    other_seeds: list[str] | None = field(
        default=None,
        metadata={"help": "Output folders of the same run with other seeds: cards then show mean and spread."},
    )
    compare_with: str | None = field(
        default=None,
        metadata={
            "help": "Folder of a finished stage whose dev scores are shown beside those of the last stage on its card."
        },
    )
    compare_with_name: str = field(
        default="default settings", metadata={"help": "Name for the stage of --compare_with on cards."}
    )
    teacher_id: str | None = field(
        default=None,
        metadata={"help": "Hub id to show on the card for the teacher of a distillation, if it is a local folder."},
    )
    hub_patience: float = field(
        default=180.0,
        metadata={"help": "Number of seconds during which to repeat requests that fail temporarily."},
    )
    push_space: bool = field(
        default=False,
        metadata={
            "help": "With --push_to_hub: also push a page to try the last stage, a Gradio Space named after the model "
            "with -space appended."
        },
    )

    push_adapters: bool = field(
        default=False,
        metadata={
            "help": "With --push_to_hub: also push the LoRA adapter of each encoder to a repository of its own, named "
            "after that of its stage with -adapter appended."
        },
    )

    def __post_init__(self) -> None:
        check_ranges(vars(self))
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
    adapters: AdapterArguments
    siamese: SiameseArguments
    common: CommonSpaceArguments
    dialogue: DialogueArguments
    hub: HubArguments
    training: StageTrainingArguments

    @classmethod
    def kinds(cls) -> dict[str, type]:
        """Maps each kind to its dataclass."""
        return get_type_hints(cls)

    @classmethod
    def from_options(cls, **options: Any) -> Self:
        """Create the arguments of a run from options named as on the command line; all others have their defaults.

        Raises:
            ValueError: If there is no such option (the message suggests similar ones), or a value is not valid.
        """
        known = {item.name: kind for kind, of_kind in cls.kinds().items() for item in fields(of_kind) if item.init}
        for name in options:
            if name not in known:
                close = get_close_matches(name, known, n=3)
                hint = f" Did you mean {' or '.join(close)}?" if close else ""
                raise ValueError(f"There is no option {name!r}.{hint}")
        chosen: dict[str, dict[str, Any]] = {kind: {} for kind in cls.kinds()}
        for name, value in options.items():
            chosen[known[name]][name] = value
        run = cls(**{kind: of_kind(**chosen[kind]) for kind, of_kind in cls.kinds().items()})
        run.check()
        return run

    def check(self) -> None:
        """Check options that depend on each other.

        Raises:
            ValueError: If they contradict each other.
        """
        if self.hub.push_space and not self.training.push_to_hub:
            raise ValueError("--push_space shows a model on the Hub: give --push_to_hub with it.")
        if self.hub.push_adapters and not (self.training.push_to_hub and self.adapters.options):
            raise ValueError("--push_adapters publishes LoRA adapters: give --push_to_hub and --lora_r with it.")
        folds = self.model.threshold_folds
        if folds is not None and self.model.threshold == "fixed" and not self.model.calibrate:
            raise ValueError(
                f"--threshold_folds {folds} tunes thresholds: give --threshold global or per_label with it."
            )
        if folds is not None and self.data.augment_rare:
            raise ValueError(
                "--threshold_folds needs texts that a model has not seen, but --augment_rare adds copies of them: "
                "leave one out."
            )
        if self.training.adapter_learning_rate is not None and not self.adapters.options:
            raise ValueError("--adapter_learning_rate is for LoRA adapters: give --lora_r with it.")
        if self.hub.push_space and self.training.hub_revision:
            raise ValueError("--push_space shows the model's main branch: leave --hub_revision out.")
