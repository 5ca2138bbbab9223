"""Heads of one or several tasks on vectors of texts that a frozen encoder has read once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import BertConfig, BertModel, set_seed

from modeling_csr import MultitaskConfig, MultitaskForSequenceClassification
from trainers import MultitaskTrainer, StageTrainingArguments
from trainers.loop import TaskCollator


class RowNumbers:
    """What a collator asks of a tokenizer. The only token of a text is its row number."""

    model_input_names = ("input_ids",)

    @staticmethod
    def pad(rows: list[dict[str, Any]], return_tensors: str) -> dict[str, torch.Tensor]:
        return {"input_ids": torch.tensor([row["input_ids"] for row in rows])}


class VectorHeads:
    """
    A `csr-multitask` model with an encoder that has no layers: the embedding of a text's one token is its vector, which
    is frozen. What is trained is the shared layer and the heads, by the Trainer that trains whole encoders.

    Args:
        vectors (`np.ndarray` of shape `(texts, size)`): Vectors of all texts, those of dev included.
        tasks (`Mapping[str, dict]`): The tasks, as in [`MultitaskConfig`].
        shared (`int`): Width of the layer that the heads share.
        folder (`Path`): Folder of the Trainer.
        epochs (`int`): Epochs.
        learning_rate (`float`, defaults to 2e-3): Initial learning rate.
        batch_size (`int`, defaults to 256): Texts per batch.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        tasks: Mapping[str, dict[str, Any]],
        shared: int,
        folder: Path,
        epochs: int,
        learning_rate: float = 2e-3,
        batch_size: int = 256,
    ) -> None:
        self.vectors, self.tasks, self.shared = vectors, {name: dict(task) for name, task in tasks.items()}, shared
        self.options: dict[str, Any] = {
            "output_dir": str(folder / "trainer"),
            "num_train_epochs": epochs,
            "learning_rate": learning_rate,
            "per_device_train_batch_size": batch_size,
            "save_strategy": "no",
            "logging_strategy": "no",
            "report_to": [],
            "disable_tqdm": True,
            "use_cpu": True,
        }

    def train(
        self, rows: np.ndarray, labels: Mapping[str, np.ndarray], seed: int
    ) -> MultitaskForSequenceClassification:
        """Train on some of the texts.

        Args:
            rows (`np.ndarray` of shape `(n,)`): Numbers of the texts, as rows of `vectors`.
            labels (`Mapping[str, np.ndarray]`): By task, the labels of these texts; NaN where there is none.
            seed (`int`): Seed of the layers and of the order of the texts.
        """
        set_seed(seed)
        model = MultitaskForSequenceClassification(
            MultitaskConfig(
                encoder=self._encoder_config(),
                tasks=self.tasks,
                shared_layer_sizes=[self.shared],
                classifier_dropout=0.2,
            )
        )
        self._fill(model.multitask.encoder)
        columns = {TaskCollator.label_column(task): labels[task].tolist() for task in self.tasks}
        data = Dataset.from_dict({"input_ids": [[row] for row in rows.tolist()], **columns})
        args = StageTrainingArguments(seed=seed, **self.options)
        collator = TaskCollator(RowNumbers(), self.tasks)  # type: ignore[arg-type]
        MultitaskTrainer(model, args, collator, data).train()
        return model.eval()

    @torch.inference_mode()
    def logits(self, model: MultitaskForSequenceClassification, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Logits `(n, labels)` of some of the texts, by task."""
        output = model(torch.from_numpy(rows)[:, None])
        return {task: found.numpy() for task, found in output.task_logits.items()}

    def _encoder_config(self) -> BertConfig:
        texts, size = self.vectors.shape
        return BertConfig(
            vocab_size=texts,
            hidden_size=size,
            num_hidden_layers=0,
            num_attention_heads=1,
            intermediate_size=1,
            max_position_embeddings=1,
            hidden_dropout_prob=0.0,
        )

    def _fill(self, encoder: BertModel) -> None:
        """The vectors as word embeddings, with nothing added to them. The layer norm scales each to the same length."""
        encoder.requires_grad_(False)
        embeddings = encoder.embeddings
        embeddings.word_embeddings.weight.copy_(torch.from_numpy(self.vectors))
        embeddings.position_embeddings.weight.zero_()
        embeddings.token_type_embeddings.weight.zero_()
