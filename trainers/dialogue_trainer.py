"""Trainer for the `dialogue` family, on the vectors of a frozen encoder or with the encoder, dialogue by dialogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast

import datasets
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset
from transformers import EvalPrediction, PreTrainedTokenizerBase
from transformers.trainer_utils import PredictionOutput

from model_cards import plot_attention
from modeling_csr import IGNORE_INDEX, DialogueForUtteranceClassification, MultitaskModel

from .data import MAX_UTTERANCES, check_dialogues, column_array, dialogue_rows, pad_texts
from .evaluation import embed_texts
from .trainer import StageTrainer
from .training_arguments import StageTrainingArguments

DIALOGUES_IN_BATCH = 32
# Utterances in a figure; more would not fit on a card.
MAX_SHOWN = 12
# Modules that are frozen for each value of `trains`.
FROZEN_MODULES: dict[str, tuple[str, ...]] = {"dialogue": ("dialogue.utterance_encoder",), "encoder": ()}


@dataclass
class DialogueTrainingArguments(StageTrainingArguments):
    """Arguments of the dialogue stage. The defaults suit a frozen encoder, whose vectors the layers are trained on."""

    learning_rate: float = field(default=5e-4, metadata={"help": "Initial learning rate."})
    num_train_epochs: float = field(default=10.0, metadata={"help": "Number of epochs over the dialogues."})
    per_device_train_batch_size: int = field(default=16, metadata={"help": "Dialogues per batch and process."})
    bf16_weights: bool | None = field(default=False, metadata={"help": "Half precision costs more than it saves here."})
    train_sampling_strategy: str = field(default="random", metadata={"help": "Vectors have no length to group by."})
    max_utterances: int = field(
        default=MAX_UTTERANCES, metadata={"help": "Longer dialogues are split into pieces of this many utterances."}
    )
    trains: str = field(
        default="dialogue",
        metadata={
            "help": "What to train: the dialogue layers on the frozen encoder, or the encoder with them.",
            "choices": tuple(FROZEN_MODULES),
        },
    )


class _Dialogues(Dataset):
    """Dialogues with speakers and labels; subclasses add what is read of the utterances."""

    def __init__(self, speakers: list[str], labels: np.ndarray, dialogues: list[np.ndarray]) -> None:
        self.labels, self.dialogues = torch.as_tensor(labels), dialogues
        # Any numbering will do: the model renumbers the speakers of each dialogue.
        self.speaker_ids = torch.as_tensor(np.unique(speakers, return_inverse=True)[1])

    def __len__(self) -> int:
        return len(self.dialogues)

    def __getitem__(self, index: int) -> dict[str, Any]:
        rows = self.dialogues[index]
        return {"speaker_ids": self.speaker_ids[rows], "labels": self.labels[rows]}


class DialogueDataset(_Dialogues):
    """Dialogues of utterances that a frozen encoder has already read.

    Args:
        representations (`np.ndarray` of shape `(texts, size)`): One vector per row; may be memory-mapped.
        speakers (`list[str]`): The speaker of each row.
        labels (`np.ndarray`): Multi-hot floats `(texts, num_labels)` or class ids `(texts,)`.
        dialogues (`list[np.ndarray]`): Row numbers of each dialogue, in order.
    """

    def __init__(
        self, representations: np.ndarray, speakers: list[str], labels: np.ndarray, dialogues: list[np.ndarray]
    ) -> None:
        super().__init__(speakers, labels, dialogues)
        self.representations = representations

    def __getitem__(self, index: int) -> dict[str, Any]:
        vectors = torch.from_numpy(self.representations[self.dialogues[index]])
        return {"utterance_representations": vectors, **super().__getitem__(index)}


class DialogueTokensDataset(_Dialogues):
    """Dialogues of tokenised utterances.

    Args:
        texts (`datasets.Dataset`): The tokens of each row.
        speakers, labels, dialogues: As for [`DialogueDataset`].
    """

    def __init__(
        self, texts: datasets.Dataset, speakers: list[str], labels: np.ndarray, dialogues: list[np.ndarray]
    ) -> None:
        super().__init__(speakers, labels, dialogues)
        self.texts = texts

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"utterances": [self.texts[int(row)] for row in self.dialogues[index]], **super().__getitem__(index)}


def collate_dialogues(rows: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Pad rows of a [`DialogueDataset`] to the longest dialogue in the batch; padding is unlabelled."""
    floating = rows[0]["labels"].is_floating_point()
    padding = {"labels": float("nan") if floating else IGNORE_INDEX}
    batch = {
        name: pad_sequence([row[name] for row in rows], batch_first=True, padding_value=padding.get(name, 0))
        for name in rows[0]
    }
    lengths = torch.tensor([len(row["labels"]) for row in rows])
    batch["utterance_mask"] = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
    return batch


@dataclass
class DialogueTokensCollator:
    """Pads rows of a [`DialogueTokensDataset`] to the longest dialogue and the longest utterance in the batch.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): Pads the utterances.
    """

    tokenizer: PreTrainedTokenizerBase

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        batch = collate_dialogues([{name: row[name] for name in ("speaker_ids", "labels")} for row in rows])
        utterances = [utterance for row in rows for utterance in row["utterances"]]
        present = batch["utterance_mask"].bool()
        for name, values in pad_texts(self.tokenizer, utterances).items():
            batch[name] = values.new_zeros(*present.shape, values.shape[1])
            batch[name][present] = values
        return batch


class DialogueTrainer(StageTrainer):
    """
    Trains [`DialogueForUtteranceClassification`] on utterances in the context of their dialogues.

    Plain rows also need the columns `dialogue_id`, `utterance_id` (position in the dialogue) and `speaker`. The frozen
    utterance encoder reads each utterance once. With `trains="encoder"` in [`DialogueTrainingArguments`], it is trained
    as well, which takes memory for all utterances of a batch. Prepared datasets are [`DialogueDataset`]s or
    [`DialogueTokensDataset`]s. Arguments and errors are the same as for [`StageTrainer`].

    Batches consist of dialogues, but losses are averaged and metrics computed over utterances: predictions and labels
    have one row per utterance, in the order of the dataset's texts.
    """

    arguments_class = DialogueTrainingArguments
    model_classes = (DialogueForUtteranceClassification,)
    frozen_modules = FROZEN_MODULES
    kind: ClassVar[str] = "dialogue"
    draws_space: ClassVar[bool] = False
    args: DialogueTrainingArguments
    model: DialogueForUtteranceClassification

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        metrics = self.compute_metrics
        if metrics is not None:
            self.compute_metrics = lambda prediction: metrics(
                EvalPrediction(
                    *self._by_utterance(
                        cast(np.ndarray, prediction.predictions), cast(np.ndarray, prediction.label_ids)
                    )
                )
            )

    @property
    def encoders(self) -> list[MultitaskModel]:
        return [self.model.dialogue.utterance_encoder]

    def card_fields(self) -> dict[str, Any]:
        return {"joint": not self.reads_vectors}

    def read(self, dataset: Any, split: str) -> dict[str, datasets.Dataset]:
        rows = super().read(dataset, split)
        check_dialogues(datasets.DatasetDict({split: rows[self.task_name]}), f"{split}_dataset")
        return rows

    def prepare_dataset(self, rows: dict[str, datasets.Dataset], split: str) -> Dataset:
        """The dialogues, with the representations of their utterances if `reads_vectors`, otherwise their tokens."""
        (texts,) = rows.values()
        labels, dialogues = column_array(texts, "labels"), dialogue_rows(texts, self.args.max_utterances)
        if not self.reads_vectors:
            tokens = self.tokenized(texts.select_columns(["text"]), split)
            return DialogueTokensDataset(tokens, texts["speaker"][:], labels, dialogues)
        vectors = self.representations(self.model.dialogue.utterance_encoder, texts, f"Encoding {split}_dataset")
        return DialogueDataset(vectors, texts["speaker"][:], labels, dialogues)

    def default_collator(self) -> Any:
        return collate_dialogues if self.reads_vectors else DialogueTokensCollator(self.processing_class)

    def draw_figures(
        self, folder: Path, results: dict[str, Any], logits: Mapping[str, np.ndarray], show_texts: bool
    ) -> None:
        super().draw_figures(folder, results, logits, show_texts)
        for texts in self.plain_datasets.get("eval", {}).values():
            self._draw_attention(texts, folder / "attention.png", show_texts)

    @torch.inference_mode()
    def _draw_attention(self, rows: datasets.Dataset, path: Path, show_texts: bool) -> None:
        """Draw how much the model reads of the other utterances in the longest dev dialogue, or the first of them.
        If texts may not be shown, utterances are labelled with their number and a letter for the speaker."""
        assert isinstance(self.eval_dataset, _Dialogues)
        number = max(
            range(len(self.eval_dataset)), key=lambda number: len(self.eval_dataset.dialogues[number][:MAX_SHOWN])
        )
        chosen = self.eval_dataset.dialogues[number][:MAX_SHOWN]
        if len(chosen) < 2:
            return
        shown = {name: value[:MAX_SHOWN] for name, value in self.eval_dataset[number].items()}
        batch = self.default_collator()([shown])
        del batch["labels"]
        model = self.accelerator.unwrap_model(self.model).eval()
        output = model(**{name: value.to(model.device) for name, value in batch.items()}, output_attentions=True)
        texts, speakers = rows[chosen]["text"], rows[chosen]["speaker"]
        # Letters replace the speakers' names, which are private.
        voices = {speaker: chr(ord("A") + index) for index, speaker in enumerate(dict.fromkeys(speakers))}
        names = [
            f"{place} {voices[speaker]}" + (f": {text}" if show_texts else "")
            for place, (text, speaker) in enumerate(zip(texts, speakers, strict=True), start=1)
        ]
        weights = {
            "multi-head attention (mean of the heads)": output.attentions[0].mean(dim=0).float().cpu().numpy(),
            "attention pooling": output.pooling_attentions[0].float().cpu().numpy(),
        }
        plot_attention(weights, names, path)

    def _count_rows(self, labels: list[torch.Tensor]) -> torch.Tensor:
        # Class ids have one dimension fewer than multi-hot labels.
        rows = [part.flatten(0, 1) if part.is_floating_point() else part.flatten() for part in labels]
        return super()._count_rows(rows)

    @staticmethod
    def _by_utterance(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reshape arrays `(dialogues, utterances, ...)` to `(rows, ...)`. Padding is included, but unlabelled."""
        if np.issubdtype(labels.dtype, np.floating):
            # The Trainer itself pads with -100, even if labels are floats.
            labels = np.where(labels == IGNORE_INDEX, np.nan, labels)
        return logits.reshape(-1, logits.shape[2]), labels.reshape(-1, *labels.shape[2:])

    def predict(self, test_dataset: Any, *args: Any, **kwargs: Any) -> PredictionOutput:
        """As `Trainer.predict`, with one row per text, in the order of the dataset."""
        test_dataset = self._prepared_aside(test_dataset)
        output = super().predict(test_dataset, *args, **kwargs)
        order = np.concatenate(test_dataset.dialogues)
        found = []
        arrays: tuple[Any, Any] = (output.predictions, output.label_ids)
        for array in arrays:
            parts = [part[: len(rows)] for part, rows in zip(array, test_dataset.dialogues, strict=True)]
            rows = np.empty((len(order), *array.shape[2:]), dtype=array.dtype)
            rows[order] = np.concatenate(parts)
            found.append(rows)
        predictions, labels = found
        return PredictionOutput(predictions, labels, output.metrics)


@torch.inference_mode()
def predict_dialogue_logits(
    model: DialogueForUtteranceClassification,
    tokenizer: PreTrainedTokenizerBase,
    rows: datasets.Dataset,
    *,
    max_length: int = 128,
    batch_size: int | None = None,
    max_utterances: int = MAX_UTTERANCES,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Compute the logits of utterances in the context of their dialogues, in the order of the rows.

    Args:
        model ([`DialogueForUtteranceClassification`]): The model; it is put into eval mode.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        rows (`Dataset`): `text` and the columns of [`~trainers.data.DIALOGUE_COLUMNS`].
        max_length (`int`, defaults to 128): Longer utterances are cut to this number of tokens.
        batch_size (`int`, *optional*): Utterances per batch of the encoder. Defaults to 32 on a CPU and 128 on a GPU.
        max_utterances (`int`, *optional*): Longer dialogues are split into pieces of at most this many utterances.
        device (`torch.device` or `str`, defaults to `"cpu"`): Where the model runs; it stays there.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32.
    """
    module: nn.Module = model
    module.to(device).eval()
    vectors = embed_texts(
        model.dialogue.utterance_encoder,
        tokenizer,
        list(rows["text"]),
        max_length=max_length,
        batch_size=batch_size,
        device=device,
    )
    dialogues = dialogue_rows(rows, max_utterances)
    data = DialogueDataset(vectors, list(rows["speaker"]), np.zeros(len(rows), dtype=np.int64), dialogues)
    config: Any = model.config
    logits = np.full((len(rows), config.num_labels), np.nan, dtype=np.float32)
    for start in range(0, len(data), DIALOGUES_IN_BATCH):
        numbers = range(start, min(start + DIALOGUES_IN_BATCH, len(data)))
        batch = collate_dialogues([data[number] for number in numbers])
        del batch["labels"]
        found = model(**{name: value.to(device) for name, value in batch.items()}).logits.float().cpu().numpy()
        for number, row in zip(numbers, found, strict=True):
            logits[dialogues[number]] = row[: len(dialogues[number])]
    return logits
