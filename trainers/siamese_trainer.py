"""Trainer for the Siamese network, on frozen emotion representations or with its encoder, and the pairs of texts."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import datasets
import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerBase, default_data_collator

from modeling_csr import MultitaskModel, SiameseModel

from .data import column_array, label_space, pad_texts, task_rows
from .evaluation import PairMetrics
from .trainer import StageTrainer
from .training_arguments import StageTrainingArguments

PAIR_STRATEGIES = ("random", "distinct", "balanced")
PAIR_TARGETS = ("label", "jaccard")
# Modules that are frozen for each value of `trains`.
FROZEN_MODULES: dict[str, tuple[str, ...]] = {"siamese": ("emotion_encoder",), "encoder": ()}


@dataclass
class SiameseTrainingArguments(StageTrainingArguments):
    """Arguments of the Siamese stage. The defaults suit a frozen encoder, where a small network trains on vectors."""

    learning_rate: float = field(default=1e-3, metadata={"help": "Initial learning rate."})
    usual_epochs: ClassVar[float] = 3.0
    num_train_epochs: float | None = field(
        default=None,
        metadata={"help": "Epochs over the pairs. Default: 3 (1 with the encoder), more below 4,000 texts."},
    )
    per_device_train_batch_size: int = field(default=128, metadata={"help": "Pairs per batch and process."})
    bf16_weights: bool | None = field(default=False, metadata={"help": "Half precision costs more than it saves here."})
    train_sampling_strategy: str = field(default="random", metadata={"help": "Vectors have no length to group by."})
    pair_strategy: str = field(default="random", metadata={"help": "How to draw pairs.", "choices": PAIR_STRATEGIES})
    pair_target: str = field(
        default="label",
        metadata={"help": "Target of a pair: 0/1 by label, or graded by label overlap.", "choices": PAIR_TARGETS},
    )
    pairs_per_text: int = field(default=8, metadata={"help": "Pairs per text."})
    trains: str = field(
        default="siamese",
        metadata={
            "help": "What to train: the siamese network on the frozen encoder, or the encoder with it.",
            "choices": tuple(FROZEN_MODULES),
        },
    )

    def epochs_of_many_texts(self) -> float:
        """With the encoder fewer, since it then reads each text once for each of its pairs."""
        return self.usual_epochs if self.trains == "siamese" else 1.0


def sample_pairs(
    labels: np.ndarray, num_pairs: int, strategy: str = "random", target: str = "label", seed: int = 42
) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of labelled texts.

    A text with several labels counts once per label, as in the paper; texts without labels are left out.

    Args:
        labels (`np.ndarray`): Multi-hot labels `(texts, num_labels)`, where a missing one (NaN) counts as absent, or
            class ids `(texts,)`.
        num_pairs (`int`): Number of pairs.
        strategy (`str`, defaults to `"random"`): `"random"` draws both halves independently (the better strategy in
            the paper). `"distinct"` uses each labelled text equally often, by matching a shuffled list with itself.
            With `"balanced"`, half of the pairs share the label.
        target (`str`, defaults to `"label"`): `"label"` is 0 if both labels are the same, else 1. `"jaccard"` is 1
            minus the overlap of the two texts' whole label sets.
        seed (`int`, defaults to 42): The same seed gives the same pairs.

    Returns:
        `tuple`: Row numbers of shape `(num_pairs, 2)`, never pairing a text with itself, and targets of shape
        `(num_pairs,)` between 0 and 1.

    Raises:
        ValueError: If an option is unknown or fewer than two texts are labelled.
    """
    if strategy not in PAIR_STRATEGIES:
        raise ValueError(f"Pair strategy must be one of {', '.join(PAIR_STRATEGIES)}, got {strategy!r}.")
    if target not in PAIR_TARGETS:
        raise ValueError(f"Pair target must be one of {', '.join(PAIR_TARGETS)}, got {target!r}.")
    # Missing class ids are negative, so they match no class.
    sets = (
        np.nan_to_num(labels)
        if labels.ndim == 2
        else (labels[:, None] == np.arange(labels.max() + 1)).astype(np.float32)
    )
    texts, classes = np.nonzero(sets)
    if len(np.unique(texts)) < 2:
        raise ValueError("The Siamese stage needs at least two texts with a label.")
    rng = np.random.default_rng(seed)
    pairs: np.ndarray = np.empty((0, 2), dtype=np.int64)
    while len(pairs) < num_pairs:
        drawn = _draw(rng, strategy, classes, num_pairs)
        pairs = np.concatenate([pairs, drawn[texts[drawn[:, 0]] != texts[drawn[:, 1]]]])
    pairs = pairs[:num_pairs]
    rows = texts[pairs]
    if target == "label":
        return rows, (classes[pairs[:, 0]] != classes[pairs[:, 1]]).astype(np.float32)
    first, second = sets[rows[:, 0]], sets[rows[:, 1]]
    overlap = np.minimum(first, second).sum(axis=1) / np.maximum(first, second).sum(axis=1)
    return rows, (1 - overlap).astype(np.float32)


def _draw(rng: np.random.Generator, strategy: str, classes: np.ndarray, num_pairs: int) -> np.ndarray:
    """Pairs of indices into the list of texts by label; a text may still be paired with itself."""
    if strategy == "distinct":
        order = rng.permutation(len(classes))
        return order[: len(order) // 2 * 2].reshape(-1, 2)
    first = rng.integers(len(classes), size=num_pairs)
    second = rng.integers(len(classes), size=num_pairs)
    if strategy == "balanced":
        same = {label: np.flatnonzero(classes == label) for label in np.unique(classes)}
        different = {label: np.flatnonzero(classes != label) for label in same}
        for index, label in enumerate(classes[first]):
            second[index] = rng.choice((same if index % 2 or not len(different[label]) else different)[label])
    return np.stack([first, second], axis=1)


class PairDataset(Dataset):
    """Pairs of emotion representations, with targets.

    Args:
        representations (`np.ndarray` of shape `(texts, size)`): P_E of every text; may be memory-mapped.
        pairs (`np.ndarray` of shape `(pairs, 2)`): Row numbers.
        targets (`np.ndarray` of shape `(pairs,)`): 0 for the same emotion, 1 for different ones, or in between.
    """

    def __init__(self, representations: np.ndarray, pairs: np.ndarray, targets: np.ndarray) -> None:
        self.representations, self.pairs, self.targets = representations, pairs, targets

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        pair = np.asarray(self.representations[self.pairs[index]])
        return {"emotion_representation": torch.from_numpy(pair), "labels": torch.tensor(self.targets[index])}


class TextPairDataset(Dataset):
    """Pairs of tokenised texts, with targets.

    Args:
        texts (`datasets.Dataset`): The tokens of every text.
        pairs, targets: As for [`PairDataset`].
    """

    def __init__(self, texts: datasets.Dataset, pairs: np.ndarray, targets: np.ndarray) -> None:
        self.texts, self.pairs, self.targets = texts, pairs, targets

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        first, second = (self.texts[int(row)] for row in self.pairs[index])
        return {"first": first, "second": second, "labels": float(self.targets[index])}


@dataclass
class PairCollator:
    """Pads pairs of tokenised texts to the longest text in the batch: tensors of shape `(batch, 2, sequence)`.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): Pads the texts.
    """

    tokenizer: PreTrainedTokenizerBase

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        texts = [row[half] for row in rows for half in ("first", "second")]
        batch = {name: values.unflatten(0, (-1, 2)) for name, values in pad_texts(self.tokenizer, texts).items()}
        return batch | {"labels": torch.tensor([row["labels"] for row in rows])}


class SiameseTrainer(StageTrainer):
    """
    Trains [`SiameseModel`] on pairs of texts (the paper's Siamese stage; Algorithm 1, lines 5 and 6).

    The frozen emotion encoder reads each text once, and the network is trained on pairs of representations. If `trains`
    in [`SiameseTrainingArguments`] is `"encoder"`, the encoder is trained as well, on pairs of texts. Prepared datasets
    are [`PairDataset`]s or [`TextPairDataset`]s. Arguments and errors are the same as for [`StageTrainer`].
    """

    arguments_class = SiameseTrainingArguments
    model_classes = (SiameseModel,)
    metrics_class = PairMetrics
    frozen_modules = FROZEN_MODULES
    kind: ClassVar[str] = "siamese"
    args: SiameseTrainingArguments
    model: SiameseModel

    @property
    def encoders(self) -> list[MultitaskModel]:
        return [self.model.emotion_encoder]

    def card_fields(self) -> dict[str, Any]:
        return {"joint": not self.reads_vectors}

    def read(self, dataset: Any, split: str) -> dict[str, datasets.Dataset]:
        """Plain rows. If the model does not name its labels, they are taken from the training texts."""
        names: dict[str, Any] = {"name": f"{split}_dataset", "column_mapping": self.column_mapping}
        task = self.tasks[self.task_name]
        if task["labels"] == [f"LABEL_{index}" for index in range(len(task["labels"]))]:
            task["labels"], task["problem_type"] = label_space(dataset, **names)
        return {self.task_name: task_rows(dataset, task["labels"], task["problem_type"], **names)}

    def prepare_dataset(self, rows: dict[str, datasets.Dataset], split: str) -> Dataset:
        """Pairs of the texts' representations if `reads_vectors`, otherwise of their tokens."""
        (texts,) = rows.values()
        labels = column_array(texts, "labels")
        pairs, targets = sample_pairs(
            labels,
            self.args.pairs_per_text * len(labels),
            self.args.pair_strategy,
            self.args.pair_target,
            self.args.seed,
        )
        if not self.reads_vectors:
            return TextPairDataset(self.tokenized(texts.select_columns(["text"]), split), pairs, targets)
        vectors = self.representations(self.model.emotion_encoder, texts, f"Encoding {split}_dataset")
        return PairDataset(vectors, pairs, targets)

    def default_collator(self) -> Any:
        return default_data_collator if self.reads_vectors else PairCollator(self.processing_class)

    def report(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """How well the distance separates dev pairs with the same emotion from others; no thresholds, no logits.

        Returns:
            `tuple`: `metrics`, and an empty `dict`.
        """
        self.use_single_precision()
        found = self.evaluate()
        kept = ("loss", "pair_auc", "mean_distance_same", "mean_distance_different", "mean_distance")
        return {"metrics": {name: found[f"eval_{name}"] for name in kept if f"eval_{name}" in found}}, {}

    @torch.inference_mode()
    def dev_vectors(self, numbers: np.ndarray) -> np.ndarray:
        """As for other models, but from the representations if the encoder has read the texts already."""
        if not isinstance(self.eval_dataset, PairDataset):
            return super().dev_vectors(numbers)
        model = self.accelerator.unwrap_model(self.model).eval()
        read = torch.from_numpy(self.eval_dataset.representations[numbers]).to(model.device)
        return model(emotion_representation=read).embeddings.float().cpu().numpy()

    def tune_thresholds(self, mode: str = "global", eval_dataset: Any = None) -> dict[str, dict[str, float]]:
        """Nothing to tune: a Siamese network does not classify."""
        return {}
