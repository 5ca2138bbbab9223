"""From a stage's description to its model, its data and its Trainer."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, concatenate_datasets
from tokenizers import Tokenizer
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    default_data_collator,
    set_seed,
)

from modeling_csr import CSRForSequenceClassification, MultitaskForSequenceClassification, MultitaskModel, SiameseModel

from .arguments import ModelArguments, RunArguments, StageTrainingArguments
from .collators import SingleTaskCollator, TaskCollator, collate_representations
from .csr_trainer import CSRTrainer
from .data import TaskDataset
from .encoders import dropout_fields, encoder_config, resolve_encoder
from .metrics import TaskMetrics
from .multitask_trainer import MultitaskTrainer
from .pairs import PairDataset, sample_pairs
from .recipes import Stage
from .records import StageRecord, digest
from .representations import RepresentationDataset, cached_representations
from .siamese_trainer import SiameseTrainer, siamese_metrics
from .trainer import StageTrainer


@dataclasses.dataclass
class StageContext:
    """What all stages of a run share.

    Args:
        args ([`RunArguments`]): The run's arguments.
        tasks (`dict[str, TaskDataset]`): The data, by task.
        tokenizer (`PreTrainedTokenizerBase`): The tokenizer of all encoders.
        records (`dict[str, StageRecord]`): The record of each stage, by stage name.
    """

    args: RunArguments
    tasks: dict[str, TaskDataset]
    tokenizer: PreTrainedTokenizerBase
    records: dict[str, StageRecord]

    @property
    def tokenizer_digest(self) -> str:
        """What tells one tokenizer from another; how the last call cut and padded does not count."""
        backend = Tokenizer.from_str(self.tokenizer.backend_tokenizer.to_str())
        backend.no_truncation()
        backend.no_padding()
        return digest(backend.to_str())

    @property
    def output_dir(self) -> Path:
        return Path(self.args.training.output_dir)

    def folder(self, stage: str) -> Path:
        return self.output_dir / stage

    def task_config(self, task: str) -> dict[str, Any]:
        data = self.tasks[task]
        return {"labels": list(data.labels), "problem_type": data.problem_type}

    def labels(self, split: str, task: str = "emotion") -> np.ndarray:
        """Multi-hot floats `(texts, num_labels)` or class ids `(texts,)`."""
        single = self.tasks[task].problem_type == "single_label_classification"
        return np.asarray(self.tasks[task].splits[split]["labels"], dtype=np.int64 if single else np.float32)

    def tokenized(self, tasks: Sequence[str], split: str) -> Dataset:
        """The texts of one or several tasks, tokenised, with a column `labels_<task>` for each."""
        parts = []
        for task in tasks:
            data = self.tasks[task].splits[split].rename_column("labels", f"labels_{task}")
            parts.append(
                data.map(
                    lambda rows: self.tokenizer(rows["text"], truncation=True, max_length=self.args.data.max_length),
                    batched=True,
                    remove_columns=["text"],
                    desc=f"Tokenising {task} {split}",
                )
            )
        return concatenate_datasets(parts)

    def representations(self, encoder: MultitaskModel, stage: str, split: str, task: str = "emotion") -> np.ndarray:
        """A frozen encoder's representations of a split's texts, from the run's cache."""
        texts = list(self.tasks[task].splits[split]["text"])
        key = {
            "encoder": self.records[stage].digest,
            "tokenizer": self.tokenizer_digest,
            "max_length": self.args.data.max_length,
            "texts": digest(texts),
        }
        with self.args.training.main_process_first(desc="encoding"):
            return cached_representations(
                self.output_dir / "representations" / f"{digest(key)}.npy",
                encoder,
                self.tokenizer,
                texts,
                max_length=self.args.data.max_length,
                device=self.args.training.device,
                description=f"Encoding {task} {split} with {stage}",
            )


def stage_arguments(stage: Stage, args: RunArguments) -> StageTrainingArguments:
    """One stage's training arguments, from the run's."""
    changes: dict[str, Any] = {
        "output_dir": str(Path(args.training.output_dir) / stage.name),
        "seed": args.training.seed + stage.seed_offset,
    }
    if stage.kind == "multitask":
        if stage.tasks[0] != "emotion" and args.model.source_num_train_epochs is not None:
            changes["num_train_epochs"] = args.model.source_num_train_epochs
    elif stage.joint:
        changes["head_learning_rate"] = args.training.head_learning_rate or args.common.common_learning_rate
    else:
        prefix, kind = ("siamese", args.siamese) if stage.kind == "siamese" else ("common", args.common)
        changes |= {
            "learning_rate": getattr(kind, f"{prefix}_learning_rate"),
            "num_train_epochs": getattr(kind, f"{prefix}_num_train_epochs"),
            "per_device_train_batch_size": getattr(kind, f"{prefix}_train_batch_size"),
            # These stages train small networks on vectors, where half precision costs more than it saves.
            "bf16": False,
            "bf16_weights": False,
            "train_sampling_strategy": "random",
        }
    return dataclasses.replace(args.training, **changes, **stage.training)


def attention_implementation(options: ModelArguments, arguments: StageTrainingArguments) -> str | None:
    """The attention to train encoders with."""
    return options.attn_implementation or ("eager" if arguments.device.type == "cpu" else None)


def build_trainer(stage: Stage, context: StageContext) -> StageTrainer:
    """A stage's Trainer, ready to train. The same seed gives the same start, whatever ran before."""
    arguments = stage_arguments(stage, context.args)
    set_seed(arguments.seed)
    build = {"multitask": _multitask_trainer, "siamese": _siamese_trainer, "csr": _csr_trainer}[stage.kind]
    trainer = build(stage, context, arguments)
    # As the Trainer would do by itself, but not without a warning.
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        setattr(trainer.model.config.get_text_config(), name, getattr(context.tokenizer, name))
    return trainer


def _freeze(model: PreTrainedModel, stage: Stage) -> None:
    for name in stage.frozen:
        model.get_submodule(name).requires_grad_(False)


def _multitask_trainer(stage: Stage, context: StageContext, arguments: StageTrainingArguments) -> StageTrainer:
    options = context.args.model
    encoder, revision = options.encoder, options.encoder_revision
    if stage.tasks[0] == "sentiment" and options.sentiment_encoder:
        encoder, revision = options.sentiment_encoder, None
    start = resolve_encoder(encoder)
    sizes = options.shared_layer_sizes
    if sizes is None and len(stage.tasks) > 1:
        sizes = [encoder_config(encoder, revision).hidden_size]
    loading: dict[str, Any] = {"attn_implementation": attention_implementation(options, arguments)}
    if "encoder" in stage.starts_from:
        start, revision = str(context.folder(stage.starts_from["encoder"])), None
    elif options.encoder_dropout is not None:
        loading |= dict.fromkeys(dropout_fields(encoder_config(encoder, revision)), options.encoder_dropout)
    tasks = {task: context.task_config(task) for task in stage.tasks}
    model = MultitaskForSequenceClassification.from_encoder(
        start,
        tasks,
        revision=revision,
        **loading,
        config_kwargs={
            "pooling": options.pooling,
            "representation": options.representation,
            "shared_layer_sizes": sizes,
            "classifier_dropout": options.classifier_dropout,
        },
    )
    _freeze(model, stage)
    if options.freeze_word_embeddings:
        model.get_input_embeddings().requires_grad_(False)
    return MultitaskTrainer(
        model=model,
        args=arguments,
        train_dataset=context.tokenized(stage.tasks, "train"),
        eval_dataset=context.tokenized(stage.tasks, "dev"),
        data_collator=TaskCollator(context.tokenizer, tasks),
        processing_class=context.tokenizer,
        compute_metrics=TaskMetrics(tasks),
    )


def _siamese_trainer(stage: Stage, context: StageContext, arguments: StageTrainingArguments) -> StageTrainer:
    options = context.args.siamese
    parent = stage.starts_from["emotion_encoder"]
    encoder = AutoModel.from_pretrained(context.folder(parent))
    model = SiameseModel.from_encoder(
        encoder,
        siamese_size=options.siamese_size,
        siamese_loss=options.siamese_loss,
        siamese_margin=options.siamese_margin,
        **_label_config(context),
    )
    _freeze(model, stage)

    def pairs(split: str) -> PairDataset:
        labels = context.labels(split)
        rows, targets = sample_pairs(
            labels,
            options.siamese_pairs_per_text * len(labels),
            options.siamese_pairs,
            options.siamese_target,
            arguments.seed,
        )
        return PairDataset(context.representations(model.emotion_encoder, parent, split), rows, targets)

    return SiameseTrainer(
        model=model,
        args=arguments,
        train_dataset=pairs("train"),
        eval_dataset=pairs("dev"),
        data_collator=default_data_collator,
        processing_class=context.tokenizer,
        compute_metrics=siamese_metrics,
    )


def _csr_trainer(stage: Stage, context: StageContext, arguments: StageTrainingArguments) -> StageTrainer:
    options = context.args.common
    config = {
        "prediction_loss_weight": options.prediction_loss_weight,
        "reconstruction_loss_weight": options.reconstruction_loss_weight,
        **stage.config,
    }
    parents = stage.starts_from
    if "model" in parents:
        model = AutoModelForSequenceClassification.from_pretrained(context.folder(parents["model"]))
        for name, value in {"prediction_loss_weight": 1.0, **stage.config}.items():
            setattr(model.config, name, value)
    else:
        attention = attention_implementation(context.args.model, arguments)

        def encoder(parent: str) -> MultitaskModel:
            return AutoModel.from_pretrained(context.folder(parent), attn_implementation=attention)

        model = CSRForSequenceClassification.from_encoders(
            encoder(parents["emotion_encoder"]),
            [encoder(source) for source in stage.sources],
            SiameseModel.from_pretrained(context.folder(parents["siamese"])) if "siamese" in parents else None,
            common_size=options.common_size,
            intermediate_size=options.common_intermediate_size,
            classifier_dropout=options.common_dropout,
            **_label_config(context),
            **config,
        )
    _freeze(model, stage)
    task = {"emotion": context.task_config("emotion")}
    if stage.joint:
        if context.args.model.freeze_word_embeddings:
            model.get_input_embeddings().requires_grad_(False)
        return CSRTrainer(
            model=model,
            args=arguments,
            train_dataset=context.tokenized(("emotion",), "train"),
            eval_dataset=context.tokenized(("emotion",), "dev"),
            data_collator=SingleTaskCollator(context.tokenizer, task),
            processing_class=context.tokenizer,
            compute_metrics=TaskMetrics(task),
        )

    def dataset(split: str) -> RepresentationDataset:
        return RepresentationDataset(
            context.representations(model.csr.emotion_encoder, parents["emotion_encoder"], split),
            [
                context.representations(encoder, source, split)
                for encoder, source in zip(model.csr.source_encoders, stage.sources, strict=True)
            ],
            context.labels(split),
        )

    return CSRTrainer(
        model=model,
        args=arguments,
        train_dataset=dataset("train"),
        eval_dataset=dataset("dev"),
        data_collator=collate_representations,
        processing_class=context.tokenizer,
        compute_metrics=TaskMetrics(task),
    )


def _label_config(context: StageContext) -> dict[str, Any]:
    task = context.task_config("emotion")
    return {
        "id2label": dict(enumerate(task["labels"])),
        "label2id": {label: index for index, label in enumerate(task["labels"])},
        "problem_type": task["problem_type"],
    }
