"""Trainer for classifiers that learn from the probabilities of trained models, and the targets made of those."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import datasets
import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import expit, logit
from torch import nn
from torch.utils.data import Dataset
from transformers import AutoConfig, PreTrainedTokenizerBase

from .data import column_array, digest, text_rows, tokenizer_digest
from .evaluation import label_names, load_classifier, predict_logits, probabilities, score
from .loop import Counts, cached_array, encoder_identity, fast_attention
from .trainer import StageTrainer
from .training_arguments import StageTrainingArguments


def teacher_probabilities(
    teachers: Sequence[str | os.PathLike],
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int,
    half_precision: bool,
    temperature: float | None = None,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Average the probabilities of several classifiers.

    Args:
        teachers (`Sequence[str]`): Folders (or Hub ids) of classifiers with the same labels.
        tokenizer (`PreTrainedTokenizerBase`): Their tokenizer.
        texts (`Sequence[str]`): Raw texts.
        max_length (`int`): Longer texts are cut to this number of tokens.
        half_precision (`bool`): Whether to compute in bf16.
        temperature (`float`, *optional*): Temperature of [`sharpen`]. By default, probabilities are not sharpened.
        device (`torch.device` or `str`, defaults to `"cpu"`): Where the teachers run.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32, between 0 and 1.

    Raises:
        ValueError: If a teacher is not a trained classifier, or their labels differ.
    """
    total: np.ndarray | float = 0.0
    labels: list[str] | None = None
    for folder in teachers:
        dtype = torch.bfloat16 if half_precision else torch.float32
        model = load_classifier(folder, dtype=dtype, attn_implementation=fast_attention(device))
        own = label_names(model.config)
        labels = labels or own
        _check_same_labels(labels, teachers[0], own, folder)
        logits = predict_logits(model, tokenizer, texts, max_length=max_length, device=device)
        if temperature is None:
            said = probabilities(logits, model.config.problem_type)
        else:
            said = sharpen(logits, model.config.thresholds, temperature)
        total = total + said / len(teachers)
    return np.asarray(total)


def _check_same_labels(
    labels: Sequence[str], owner: str | os.PathLike, others: Sequence[str], teacher: str | os.PathLike
) -> None:
    if list(labels) != list(others):
        raise ValueError(
            f"teachers: {os.fspath(teacher)} has the labels {', '.join(others)}, but {os.fspath(owner)} has "
            f"{', '.join(labels)}. They must be the same, in the same order (config.id2label)."
        )


def sharpen(logits: np.ndarray, thresholds: Sequence[float] | None, temperature: float) -> np.ndarray:
    """Probabilities of a multi-label teacher relative to its thresholds: 0.5 means that it is exactly at the threshold.

    Teachers are rarely confident about rare labels. A student of their probabilities is even less confident, and with
    one threshold for all labels, it no longer predicts the rare ones.

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): Logits of the teacher.
        thresholds (`Sequence[float]`, *optional*): Its decision thresholds, one per label. Defaults to 0.5.
        temperature (`float`): Below 1, the teacher becomes more confident; above 1, less.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32.
    """
    at_threshold = 0.0 if thresholds is None else logit(np.asarray(thresholds))
    return expit((logits - at_threshold) / temperature).astype(np.float32)


def soften(labels: np.ndarray, probabilities: np.ndarray, share: float) -> np.ndarray:
    """Mix labels with the probabilities of a teacher (knowledge distillation; Hinton et al., 2015).

    Args:
        labels (`np.ndarray` of shape `(texts, num_labels)`): 0 or 1.
        probabilities (`np.ndarray` of shape `(texts, num_labels)`): Probabilities of the teacher.
        share (`float`): Weight of the teacher, between 0 and 1.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32.
    """
    return ((1 - share) * labels + share * probabilities).astype(np.float32)


def soft_targets(
    args: StageTrainingArguments,
    teachers: Sequence[str | os.PathLike],
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    temperature: float | None = None,
) -> np.ndarray:
    """Probabilities that teachers give to texts, from the cache if they have read them before.

    Args:
        args ([`StageTrainingArguments`]): `max_length`, precision, device and the cache.
        teachers, tokenizer, texts, temperature: As for [`teacher_probabilities`].

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32, between 0 and 1.
    """
    key = {
        "teachers": [encoder_identity(os.fspath(teacher)) for teacher in teachers],
        "tokenizer": tokenizer_digest(tokenizer),
        "max_length": args.max_length,
        "texts": digest(texts),
        "half_precision": bool(args.bf16_weights),
        "temperature": temperature,
    }

    def write(path: Path) -> None:
        options: dict[str, Any] = {"max_length": args.max_length, "half_precision": key["half_precision"]}
        with open(path, "wb") as file:
            said = teacher_probabilities(
                teachers, tokenizer, texts, temperature=temperature, device=args.device, **options
            )
            np.save(file, said)

    with args.main_process_first(desc="soft targets"):
        return cached_array(args, "soft_targets", key, write)


def self_trained_rows(
    args: StageTrainingArguments,
    teachers: Sequence[str | os.PathLike],
    tokenizer: PreTrainedTokenizerBase,
    labelled: datasets.Dataset,
    unlabelled: Sequence[datasets.Dataset],
    temperature: float | None = None,
) -> datasets.Dataset:
    """Training rows for self-training: labelled texts, then unlabelled ones, with targets between 0 and 1.

    The target of a labelled text is the mean of its labels and the teachers' probabilities; the target of an unlabelled
    text is the teachers' probabilities.

    Args:
        args ([`StageTrainingArguments`]): `max_length`, precision, device and the cache.
        teachers (`Sequence[str]`): Folders (or Hub ids) of multi-label classifiers with the same labels.
        tokenizer (`PreTrainedTokenizerBase`): Their tokenizer.
        labelled (`Dataset`): Rows of `text` and multi-hot `labels`.
        unlabelled (`Sequence[Dataset]`): Rows of `text`.
        temperature (`float`, *optional*): Temperature of [`sharpen`]. By default, probabilities are not sharpened.

    Returns:
        `Dataset` with the columns `text` and `labels`.
    """
    parts = []
    for rows in (labelled, *unlabelled):
        texts = rows["text"][:]
        targets = soft_targets(args, teachers, tokenizer, texts, temperature)
        if rows is labelled:
            targets = soften(column_array(rows, "labels"), targets, share=0.5)
        columns = datasets.Features(
            {"text": datasets.Value("string"), "labels": datasets.List(datasets.Value("float32"))}
        )
        parts.append(datasets.Dataset.from_dict({"text": texts, "labels": targets}, features=columns))
    return datasets.concatenate_datasets(parts)


class DistillationTrainer(StageTrainer):
    """
    Trains any sequence classifier on probabilities instead of labels (Hinton et al., 2015, at temperature 1).

    The loss is the cross-entropy between the targets and the model's probabilities: summed over the classes of a
    single-label problem, averaged over the labels of a multi-label one.

    Args:
        teachers (`Sequence[str]`, *optional*): Folders or Hub ids of trained classifiers with the labels of the model.
            The mean of their probabilities is the target, so training texts need no labels. Without teachers, `labels`
            of the training texts are probabilities.
        teacher_tokenizer (`PreTrainedTokenizerBase`, *optional*): Tokenizer of the teachers. By default, that of the
            model.

    The other arguments and the errors are the same as for [`StageTrainer`].
    """

    kind: ClassVar[str] = "distilled"
    draws_space: ClassVar[bool] = False

    def __init__(
        self,
        *args: Any,
        teachers: Sequence[str | os.PathLike] = (),
        teacher_tokenizer: PreTrainedTokenizerBase | None = None,
        **kwargs: Any,
    ) -> None:
        self.teachers, self._teacher_tokenizer = list(teachers), teacher_tokenizer
        super().__init__(*args, **kwargs)

    @property
    def teacher_tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer of the teachers."""
        return self._teacher_tokenizer or self.processing_class

    def model_tasks(self) -> dict[str, dict[str, Any]]:
        """As [`~StageTrainer.model_tasks`]. The teachers must have the same labels, in the same order."""
        tasks = super().model_tasks()
        for teacher in self.teachers:
            others = label_names(AutoConfig.from_pretrained(teacher))
            _check_same_labels(tasks[self.task_name]["labels"], "the model", others, teacher)
        return tasks

    def read(self, dataset: Any, split: str) -> dict[str, datasets.Dataset]:
        if split != "train" or not self.teachers:
            return super().read(dataset, split)
        return {self.task_name: text_rows(dataset, name=f"{split}_dataset", column_mapping=self.column_mapping)}

    def prepare_dataset(self, rows: dict[str, datasets.Dataset], split: str) -> Dataset:
        """The tokens of the texts; the labels of training texts are the probabilities that the teachers give them."""
        if split == "train" and self.teachers:
            (texts,) = rows.values()
            texts = texts["text"][:]
            targets = soft_targets(self.args, self.teachers, self.teacher_tokenizer, texts)
            rows = {self.task_name: datasets.Dataset.from_dict({"text": texts, "labels": targets})}
        return super().prepare_dataset(rows, split)

    def report(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """As [`~StageTrainer.report`], plus the scores of the first teacher on the same texts, in `teacher`."""
        results, logits = super().report(*args, **kwargs)
        rows = self.plain_datasets.get("eval", {}).get(self.task_name)
        if self.teachers and rows is not None:
            teacher = load_classifier(self.teachers[0])
            options: dict[str, Any] = {"max_length": self.args.max_length, "device": self.args.device}
            said = predict_logits(teacher, self.teacher_tokenizer, rows["text"][:], **options)
            thresholds = getattr(teacher.config, "thresholds", None)
            problem_type = self.tasks[self.task_name]["problem_type"]
            results["teacher"] = score(said, column_array(rows, "labels"), problem_type, thresholds)
        return results, logits

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Counts = None,
    ) -> torch.Tensor | tuple[torch.Tensor, Any]:
        targets = inputs["labels"]
        outputs = self.forward(model, {name: value for name, value in inputs.items() if name != "labels"})
        logits = outputs.logits.float()
        if self.accelerator.unwrap_model(model).config.problem_type == "multi_label_classification":
            losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=-1)
        else:
            losses = F.cross_entropy(logits, targets, reduction="none")
        # There is one tensor of labels, so there is one count, not one per task.
        items = len(losses) if num_items_in_batch is None else cast(torch.Tensor, num_items_in_batch)
        loss = losses.sum() * self.loss_scale(num_items_in_batch) / items
        # Not "logits": in evaluation, the Trainer leaves those of a `csr-multitask` model out, which has them by task.
        return (loss, {"loss": loss, "scores": logits}) if return_outputs else loss
