"""Trainer for the common space (the paper's last stage, Algorithm 1), on tokens or on frozen representations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import datasets
import numpy as np
import torch
from torch.utils.data import Dataset

from modeling_csr import CSRForSequenceClassification, MultitaskModel

from .data import column_array
from .evaluation import score
from .trainer import StageTrainer
from .training_arguments import StageTrainingArguments

# Modules that are frozen for each value of `trains`.
FROZEN_MODULES: dict[str, tuple[str, ...]] = {
    "classifier": ("csr",),
    "common_space": ("csr.emotion_encoder", "csr.source_encoders", "csr.siamese"),
    "emotion_encoder": ("csr.source_encoders", "csr.siamese"),
    "encoders": ("csr.siamese",),
}


@dataclass
class CSRTrainingArguments(StageTrainingArguments):
    """Arguments of the common-space stage. The defaults suit a space on frozen encoders, which trains on vectors."""

    learning_rate: float = field(default=5e-4, metadata={"help": "Initial learning rate."})
    usual_epochs: ClassVar[float] = 10.0
    num_train_epochs: float | None = field(
        default=None,
        metadata={"help": "Epochs over the texts. Default: 10 (4 with an encoder), more below 4,000."},
    )
    per_device_train_batch_size: int = field(default=64, metadata={"help": "Texts per batch and process."})
    bf16_weights: bool | None = field(default=False, metadata={"help": "Half precision costs more than it saves here."})
    train_sampling_strategy: str = field(default="random", metadata={"help": "Vectors have no length to group by."})
    trains: str = field(
        default="common_space",
        metadata={
            "help": "What to train: only the classifier, the common_space on frozen encoders (as in the paper), the "
            "space with its emotion_encoder, or the space with all its encoders.",
            "choices": tuple(FROZEN_MODULES),
        },
    )

    def epochs_of_many_texts(self) -> float:
        """With an encoder that is trained as well, as many as for an encoder alone."""
        frozen = self.trains in ("classifier", "common_space")
        return self.usual_epochs if frozen else StageTrainingArguments.usual_epochs


class RepresentationDataset(Dataset):
    """Representations of texts, P_E and one P_S per source, with labels.

    Args:
        emotion (`np.ndarray` of shape `(texts, emotion_size)`): P_E of each text; may be memory-mapped.
        sources (`Sequence[np.ndarray]`): P_S of each text, one array of shape `(texts, source_size)` per source.
        labels (`np.ndarray` or `torch.Tensor`): Multi-hot floats `(texts, num_labels)` or class ids `(texts,)`.
    """

    def __init__(self, emotion: np.ndarray, sources: Sequence[np.ndarray], labels: np.ndarray | torch.Tensor) -> None:
        self.emotion, self.sources = emotion, tuple(sources)
        self.labels = torch.as_tensor(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {
            "emotion_representation": torch.from_numpy(self.emotion[index]),
            "source_representations": tuple(torch.from_numpy(source[index]) for source in self.sources),
            "labels": self.labels[index],
        }

    def shuffled(self, part: str, seed: int) -> "RepresentationDataset":
        """Copy the dataset, with one half of the input taken from other texts.

        Args:
            part (`str`): The half to shuffle, `"emotion"` or `"sources"`.
            seed (`int`): Seed of the permutation.

        Returns:
            [`RepresentationDataset`]: The copy; labels stay with the half that is not shuffled.
        """
        order = np.random.default_rng(seed).permutation(len(self))
        emotion = self.emotion[order] if part == "emotion" else self.emotion
        sources = [source[order] for source in self.sources] if part == "sources" else self.sources
        return RepresentationDataset(emotion, sources, self.labels)


def collate_representations(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Stack rows of a [`RepresentationDataset`]; `source_representations` stays a tuple with one tensor per source."""
    return {
        "emotion_representation": torch.stack([row["emotion_representation"] for row in rows]),
        "source_representations": tuple(
            torch.stack(source) for source in zip(*(row["source_representations"] for row in rows), strict=True)
        ),
        "labels": torch.stack([row["labels"] for row in rows]),
    }


class CSRTrainer(StageTrainer):
    """
    Trains [`CSRForSequenceClassification`].

    If all encoders are frozen, which is the default and what the paper does, each encoder reads the texts once and the
    space is trained on their representations. Otherwise it is trained on tokens, together with the encoders selected by
    `trains` in [`CSRTrainingArguments`]. Prepared datasets contain tokens or are [`RepresentationDataset`]s. Arguments
    and errors are the same as for [`StageTrainer`].

    Logs `prediction_loss` and `reconstruction_loss` (unweighted) next to `loss`, except for losses with weight 0: they
    train nothing, and mean nothing if the Siamese network or the classifier is untrained.
    """

    arguments_class = CSRTrainingArguments
    model_classes = (CSRForSequenceClassification,)
    frozen_modules = FROZEN_MODULES
    kind: ClassVar[str] = "csr"
    args: CSRTrainingArguments
    model: CSRForSequenceClassification

    def named_losses(self, outputs: Any) -> dict[str, torch.Tensor]:
        config = self.accelerator.unwrap_model(self.model).config
        names = ("prediction_loss", "reconstruction_loss")
        return {name: outputs[name] for name in names if getattr(config, f"{name}_weight")}

    @property
    def encoders(self) -> list[MultitaskModel]:
        """The emotion encoder, then the source encoders."""
        return [self.model.csr.emotion_encoder, *self.model.csr.source_encoders]

    @property
    def reads_vectors(self) -> bool:
        """Whether the space is trained on representations from its frozen encoders instead of tokens."""
        return super().reads_vectors and self.model.config.common_level == "text"

    def card_fields(self) -> dict[str, Any]:
        emotion_encoder = self.encoders[0]
        trained = any(parameter.requires_grad for parameter in emotion_encoder.parameters())
        return {"joint": self.model.config.common_level == "token" and trained}

    def prepare_dataset(self, rows: dict[str, datasets.Dataset], split: str) -> Dataset:
        """Representations of the texts if `reads_vectors`, otherwise their tokens."""
        if not self.reads_vectors:
            return super().prepare_dataset(rows, split)
        (texts,) = rows.values()
        names = ["the emotion encoder", *(f"source encoder {number}" for number in range(len(self.encoders) - 1))]
        emotion, *sources = (
            self.representations(encoder, texts, f"Encoding {split}_dataset with {name}")
            for encoder, name in zip(self.encoders, names, strict=True)
        )
        return RepresentationDataset(emotion, sources, column_array(texts, "labels"))

    def default_collator(self) -> Any:
        return collate_representations if self.reads_vectors else super().default_collator()

    def report(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """As [`~StageTrainer.report`], plus `shuffled` if there are sources.

        `shuffled` shows what each half of the input contributes: it holds the metrics with the `emotion` half, or the
        `sources`, of each input taken from another text. A common space that merely copies P_E loses nothing when the
        sources are shuffled.

        If `prediction_loss_weight` is 0, the classifier is untrained, and `metrics` contains only the loss.
        """
        if not self.model.config.prediction_loss_weight:
            # Only the loss shows what was learnt.
            self.use_single_precision()
            return {"metrics": {"loss": self.evaluate()["eval_loss"]}}, {}
        results, logits = super().report(*args, **kwargs)
        if self.model.csr.source_encoders:
            (task,) = self.tasks.values()
            decide = (task["problem_type"], task.get("thresholds"))
            results["shuffled"] = {
                part: score(*self._labelled(*arrays), *decide) for part, arrays in self._shuffled_predictions().items()
            }
        return results, logits

    @torch.inference_mode()
    def dev_vectors(self, numbers: np.ndarray) -> np.ndarray:
        """As for other models, but from the representations if the encoders have read the texts already."""
        if not isinstance(self.eval_dataset, RepresentationDataset):
            return super().dev_vectors(numbers)
        model = self.accelerator.unwrap_model(self.model).eval().csr
        arrays = (self.eval_dataset.emotion, *self.eval_dataset.sources)
        emotion, *sources = (torch.from_numpy(array[numbers]).to(model.device) for array in arrays)
        output = model(emotion_representation=emotion, source_representations=sources)
        return output.common_space.float().cpu().numpy()

    def _labelled(self, logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = self.task_row_numbers(self.task_name, labels)
        return logits[rows], labels[rows]

    def _shuffled_predictions(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        if not isinstance(self.eval_dataset, RepresentationDataset):
            return self._shuffled_tokens()
        found = {}
        for part in ("emotion", "sources"):
            output: Any = self.predict(self.eval_dataset.shuffled(part, self.args.seed), metric_key_prefix="shuffled")
            found[part] = output.predictions, output.label_ids
        return found

    @torch.inference_mode()
    def _shuffled_tokens(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Logits and labels with one half of each input taken from another text of its batch, cut to its length."""
        model = self.model.eval()
        generator = torch.Generator().manual_seed(self.args.seed)
        found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"emotion": [], "sources": []}
        for batch in self.get_eval_dataloader():
            mask, labels = batch["attention_mask"], batch["labels"]
            emotion, sources = model.csr.encode(batch["input_ids"], mask, batch.get("token_type_ids"))
            if emotion.dim() == 3:
                # Beyond the end of a text there must be nothing, not what the encoder makes of padding.
                emotion, sources = (
                    emotion * mask.unsqueeze(-1),
                    tuple(source * mask.unsqueeze(-1) for source in sources),
                )
            order = torch.randperm(len(mask), generator=generator).to(mask.device)
            halves = {
                "emotion": (emotion[order], sources),
                "sources": (emotion, tuple(source[order] for source in sources)),
            }
            for part, (first, rest) in halves.items():
                logits = model(attention_mask=mask, emotion_representation=first, source_representations=rest).logits
                logits, gold = self.accelerator.gather_for_metrics((logits.float(), labels))
                found[part].append((logits.cpu().numpy(), gold.cpu().numpy()))
        return {
            part: (np.concatenate([logits for logits, _ in rows]), np.concatenate([labels for _, labels in rows]))
            for part, rows in found.items()
        }
