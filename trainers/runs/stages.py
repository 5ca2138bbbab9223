"""From a stage's description to its model, its data and its Trainer."""

import dataclasses
from pathlib import Path
from typing import Any, cast

import torch
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    PreTrainedModel,
    default_data_collator,
    set_seed,
)

from modeling_csr import (
    CSRForSequenceClassification,
    DialogueForUtteranceClassification,
    MultitaskForSequenceClassification,
    MultitaskModel,
    SiameseModel,
)
from modeling_csr.losses import count_labelled

from ..csr_trainer import CSRTrainer
from ..data.dialogues import DialogueDataset, dialogue_rows
from ..dialogue_trainer import DialogueTrainer
from ..evaluation.task_metrics import TaskMetrics
from ..loop.collators import SingleTaskCollator, TaskCollator, collate_dialogues, collate_representations
from ..loop.encoders import config_with_dropout, encoder_config, fast_attention, resolve_encoder
from ..loop.pairs import PairDataset, sample_pairs
from ..loop.representations import RepresentationDataset
from ..multitask_trainer import MultitaskTrainer
from ..recipes.library import SOURCE_TASKS, Stage
from ..siamese_trainer import SiameseTrainer, siamese_metrics
from ..trainer import StageTrainer
from ..training_arguments import StageTrainingArguments
from .arguments import RunArguments
from .context import StageContext


def stage_arguments(stage: Stage, args: RunArguments) -> StageTrainingArguments:
    """One stage's training arguments, from the run's."""
    changes: dict[str, Any] = {
        "output_dir": str(Path(args.training.output_dir) / stage.name),
        "seed": args.training.seed + stage.seed_offset,
        # The runner publishes whole stages; the Trainer would push what it happens to have.
        "push_to_hub": False,
    }
    if stage.kind == "multitask":
        if stage.tasks[0] in SOURCE_TASKS and args.model.source_num_train_epochs is not None:
            changes["num_train_epochs"] = args.model.source_num_train_epochs
    elif stage.joint:
        changes["head_learning_rate"] = args.common.common_learning_rate
    else:
        prefixes = {"siamese": "siamese", "csr": "common", "dialogue": "dialogue"}
        prefix = prefixes[stage.kind]
        kind = getattr(args, prefix)
        changes |= {
            "learning_rate": getattr(kind, f"{prefix}_learning_rate"),
            "head_learning_rate": None,
            "num_train_epochs": getattr(kind, f"{prefix}_num_train_epochs"),
            "per_device_train_batch_size": getattr(kind, f"{prefix}_train_batch_size"),
            # These stages train small networks on vectors, where half precision costs more than it saves.
            "bf16": False,
            "bf16_weights": False,
            "train_sampling_strategy": "random",
        }
    changes |= stage.training
    if stage.trains_encoder and args.training.head_learning_rate is not None:
        changes["head_learning_rate"] = args.training.head_learning_rate
    return dataclasses.replace(args.training, **changes)


def build_trainer(stage: Stage, context: StageContext) -> StageTrainer:
    """A stage's Trainer, ready to train. The same seed gives the same start, whatever ran before."""
    arguments = stage_arguments(stage, context.args)
    set_seed(arguments.seed)
    build = {
        "multitask": _multitask_trainer,
        "siamese": _siamese_trainer,
        "csr": _csr_trainer,
        "dialogue": _dialogue_trainer,
    }[stage.kind]
    trainer = build(stage, context, arguments)
    attention = context.args.model.attn_implementation or fast_attention(arguments.device)
    if attention is not None:
        # Not earlier: whatever takes an encoder in gives it the default attention.
        trainer.model.set_attn_implementation(attention)
    # As the Trainer would do by itself, but not without a warning.
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        setattr(trainer.model.config.get_text_config(), name, getattr(context.tokenizer, name))
    return trainer


def _freeze(model: PreTrainedModel, stage: Stage, context: StageContext) -> None:
    for name in stage.frozen:
        model.get_submodule(name).requires_grad_(False)
    if context.args.model.freeze_word_embeddings:
        for encoder in model.modules():
            if isinstance(encoder, MultitaskModel):
                encoder.get_input_embeddings().requires_grad_(False)


def _multitask_model(stage: Stage, context: StageContext) -> MultitaskForSequenceClassification:
    """New heads on the pretrained encoder, or on the encoder that the stage starts from."""
    options = context.args.model
    encoder, revision = options.pretrained(stage.tasks[0])
    start = resolve_encoder(encoder)
    sizes = options.shared_layer_sizes
    if sizes is None and len(stage.tasks) > 1:
        sizes = stage.config.get("shared_layer_sizes", [encoder_config(encoder, revision).hidden_size])
    learned = options.task_weighting == "uncertainty" and len(stage.tasks) > 1
    loading: dict[str, Any] = {}
    if "encoder" in stage.starts_from:
        start, revision = str(context.folder(stage.starts_from["encoder"])), None
    elif options.encoder_dropout is not None:
        loading["config"] = config_with_dropout(encoder, options.encoder_dropout, revision)
    return MultitaskForSequenceClassification.from_encoder(
        start,
        _weighted_tasks(stage, context),
        revision=revision,
        **loading,
        config_kwargs={
            "pooling": options.pooling,
            "representation": options.representation,
            "shared_layer_sizes": sizes,
            "classifier_dropout": options.classifier_dropout,
            "task_weighting": "uncertainty" if learned else "fixed",
        },
    )


def _weighted_tasks(stage: Stage, context: StageContext) -> dict[str, dict[str, Any]]:
    """The tasks of a stage. Weighted by size, a task's weight is its share of all labelled training texts, times the
    number of tasks: then each labelled text counts alike, while "equal" has each task count alike."""
    tasks = {task: context.task_config(task) | context.loss_options(stage, task) for task in stage.tasks}
    if len(tasks) > 1 and context.args.model.task_weighting == "size":
        sizes = {task: count_labelled(torch.from_numpy(context.labels("train", task))).item() for task in tasks}
        for task, config in tasks.items():
            config["loss_weight"] = round(sizes[task] * len(sizes) / sum(sizes.values()), 6)
    return tasks


def _multitask_trainer(stage: Stage, context: StageContext, arguments: StageTrainingArguments) -> StageTrainer:
    model = _multitask_model(stage, context)
    _freeze(model, stage, context)
    return MultitaskTrainer(
        model=model,
        args=arguments,
        train_dataset=context.tokenized(stage.tasks, "train", join=arguments.task_sampling == "mixed"),
        eval_dataset=context.tokenized(stage.tasks, "dev"),
        data_collator=TaskCollator(context.tokenizer, model.config.tasks),
        processing_class=context.tokenizer,
        compute_metrics=TaskMetrics(model.config.tasks),
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
        **_label_config(stage, context),
    )
    _freeze(model, stage, context)

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


def _csr_model(stage: Stage, context: StageContext) -> CSRForSequenceClassification:
    """The model that the stage starts from with other loss weights, its common space with a new classifier, or a new
    common space over its encoders."""
    options, parents = context.args.common, stage.starts_from
    if "model" in parents:
        model = AutoModelForSequenceClassification.from_pretrained(context.folder(parents["model"]))
        for name, value in {"prediction_loss_weight": 1.0, **stage.config}.items():
            setattr(model.config, name, value)
        return model

    def encoder(parent: str | None) -> MultitaskModel:
        if parent is None:
            return _multitask_model(stage, context).multitask
        return AutoModel.from_pretrained(context.folder(parent))

    config = {
        "prediction_loss_weight": options.prediction_loss_weight,
        "reconstruction_loss_weight": options.reconstruction_loss_weight,
        **stage.config,
    }
    config |= _label_config(stage, context)
    if "csr" in parents:
        return CSRForSequenceClassification.from_common_space(
            AutoModel.from_pretrained(context.folder(parents["csr"])), **config
        )
    return CSRForSequenceClassification.from_encoders(
        encoder(parents.get("emotion_encoder")),
        [encoder(source) for source in stage.sources],
        SiameseModel.from_pretrained(context.folder(parents["siamese"])) if "siamese" in parents else None,
        common_size=options.common_size,
        intermediate_size=options.common_intermediate_size,
        classifier_dropout=options.common_dropout,
        **config,
    )


def _csr_trainer(stage: Stage, context: StageContext, arguments: StageTrainingArguments) -> StageTrainer:
    model = _csr_model(stage, context)
    _freeze(model, stage, context)
    task = {name: context.task_config(name) for name in stage.tasks}
    if stage.joint:
        if stage.teachers:
            train_dataset = context.tokenized_with_soft_targets(stage)
        else:
            train_dataset = context.tokenized(stage.tasks, "train")
        return CSRTrainer(
            model=model,
            args=arguments,
            train_dataset=train_dataset,
            eval_dataset=context.tokenized(stage.tasks, "dev"),
            data_collator=SingleTaskCollator(context.tokenizer, task),
            processing_class=context.tokenizer,
            compute_metrics=TaskMetrics(task),
        )

    source_encoders = cast(list[MultitaskModel], list(model.csr.source_encoders))

    def dataset(split: str) -> RepresentationDataset:
        return RepresentationDataset(
            context.representations(model.csr.emotion_encoder, stage.starts_from["emotion_encoder"], split),
            [
                context.representations(encoder, source, split)
                for encoder, source in zip(source_encoders, stage.sources, strict=True)
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


def _dialogue_trainer(stage: Stage, context: StageContext, arguments: StageTrainingArguments) -> StageTrainer:
    options = context.args.dialogue
    parent = stage.starts_from["utterance_encoder"]
    encoder = AutoModel.from_pretrained(context.folder(parent))
    model = DialogueForUtteranceClassification.from_encoder(
        encoder,
        dialogue_size=options.dialogue_size,
        num_attention_heads=options.dialogue_attention_heads,
        utterance_dropout=options.dialogue_utterance_dropout,
        classifier_dropout=options.dialogue_dropout,
        **_label_config(stage, context),
        **stage.config,
    )
    _freeze(model, stage, context)

    def dataset(split: str) -> DialogueDataset:
        rows = context.tasks["emotion"].splits[split]
        return DialogueDataset(
            context.representations(model.dialogue.utterance_encoder, parent, split),
            list(rows["speaker"]),
            context.labels(split),
            dialogue_rows(rows, options.max_utterances),
        )

    return DialogueTrainer(
        model=model,
        args=arguments,
        train_dataset=dataset("train"),
        eval_dataset=dataset("dev"),
        data_collator=collate_dialogues,
        processing_class=context.tokenizer,
        compute_metrics=TaskMetrics({"emotion": context.task_config("emotion")}),
    )


def _label_config(stage: Stage, context: StageContext) -> dict[str, Any]:
    task = context.task_config(stage.tasks[0])
    return {
        "id2label": dict(enumerate(task["labels"])),
        "label2id": {label: index for index, label in enumerate(task["labels"])},
        "problem_type": task["problem_type"],
        **context.loss_options(stage, stage.tasks[0]),
    }
