"""Building the model that a stage trains."""

from functools import singledispatch
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, PreTrainedModel

from modeling_csr import (
    ADAPTER_FOLDER,
    CSRForSequenceClassification,
    DialogueForUtteranceClassification,
    MultitaskForSequenceClassification,
    MultitaskModel,
    SiameseModel,
    count_labelled,
)

from ..evaluation import load_classifier
from ..loop import config_with_dropout, encoder_config, resolve_encoder, with_adapter
from ..recipes import CommonSpaceStage, DialogueStage, DistilledStage, EncoderStage, SiameseStage, Stage
from .prepared_run import PreparedRun
from .students import student_of


@singledispatch
def build_model(stage: Stage, run: PreparedRun) -> PreTrainedModel:
    """Build the model of a stage from the stages that it starts from. New parts are initialised at random by torch.

    Args:
        stage ([`Stage`]): The stage. Builders for further kinds of stages can be registered.
        run ([`PreparedRun`]): The run; its folder contains the finished stages that this one starts from.
    """
    raise NotImplementedError(f"No model is known for stages like {type(stage).__name__}: register one in build_model.")


@build_model.register
def _(stage: EncoderStage, run: PreparedRun) -> MultitaskForSequenceClassification:
    return _multitask_model(stage, run)


@build_model.register
def _(stage: SiameseStage, run: PreparedRun) -> SiameseModel:
    options, parent = run.args.siamese, stage.emotion_encoder
    return SiameseModel.from_encoder(
        _trained_encoder(run.folder(parent)) if parent else _multitask_model(stage, run).multitask,
        siamese_size=options.siamese_size,
        siamese_loss=options.siamese_loss,
        siamese_margin=options.siamese_margin,
        **_label_config(stage, run),
    )


@build_model.register
def _(stage: CommonSpaceStage, run: PreparedRun) -> CSRForSequenceClassification:
    options = run.args.common
    if stage.model:
        model = load_classifier(run.folder(stage.model))
        for name, value in {"prediction_loss_weight": 1.0, **stage.config}.items():
            setattr(model.config, name, value)
        return model

    shared = run.args.adapters.shared_backbone

    def encoder(parent: Stage | None, **config_kwargs: Any) -> MultitaskModel:
        if parent is None:
            new = _multitask_model(stage, run, **config_kwargs).multitask
            return with_adapter(new, run.args.adapters.options) if shared else new
        if shared:
            backbone = resolve_encoder(run.args.model.encoder)
            return AutoModel.from_pretrained(run.folder(parent) / ADAPTER_FOLDER, backbone=backbone)
        return _trained_encoder(run.folder(parent))

    # What nobody has trained, and nobody will, must not stand between the pretrained encoder and the space.
    bare = {} if stage.trains == "encoders" else {"representation": "pooled", "shared_layer_sizes": []}
    config = {
        "prediction_loss_weight": options.prediction_loss_weight,
        "reconstruction_loss_weight": options.reconstruction_loss_weight,
        "shared_backbone": shared,
        **stage.config,
        **_label_config(stage, run),
    }
    if stage.common_space:
        space = AutoModel.from_pretrained(run.folder(stage.common_space))
        return CSRForSequenceClassification.from_common_space(space, **config)
    return CSRForSequenceClassification.from_encoders(
        encoder(stage.emotion_encoder),
        [encoder(source, **bare) for source in stage.source_encoders],
        SiameseModel.from_pretrained(run.folder(stage.siamese)) if stage.siamese else None,
        common_size=options.common_size,
        intermediate_size=options.common_intermediate_size,
        classifier_dropout=options.common_dropout,
        **config,
    )


@build_model.register
def _(stage: DialogueStage, run: PreparedRun) -> DialogueForUtteranceClassification:
    options = run.args.dialogue
    return DialogueForUtteranceClassification.from_encoder(
        AutoModel.from_pretrained(run.folder(stage.utterance_encoder)),
        dialogue_size=options.dialogue_size,
        num_attention_heads=options.dialogue_attention_heads,
        utterance_dropout=options.dialogue_utterance_dropout,
        classifier_dropout=options.dialogue_dropout,
        **_label_config(stage, run),
        **stage.config,
    )


@build_model.register
def _(stage: DistilledStage, run: PreparedRun) -> PreTrainedModel:
    return student_of(load_classifier(stage.teacher), stage.student, stage.student_layers)


def _trained_encoder(folder: Path) -> MultitaskModel:
    """The encoder that a stage has trained, alone or below a Siamese network."""
    model = AutoModel.from_pretrained(folder)
    return model.emotion_encoder if isinstance(model, SiameseModel) else model


def _multitask_model(stage: Stage, run: PreparedRun, **config_kwargs: Any) -> MultitaskForSequenceClassification:
    """Build new heads on the pretrained encoder, or on the encoder that the stage starts from. `config_kwargs` replace
    what the options say."""
    options = run.args.model
    encoder, revision = options.pretrained(stage.tasks[0])
    start = resolve_encoder(encoder)
    sizes = options.shared_layer_sizes
    if sizes is None and len(stage.tasks) > 1:
        sizes = stage.config.get("shared_layer_sizes", [encoder_config(encoder, revision).hidden_size])
    learned = options.task_weighting == "uncertainty" and len(stage.tasks) > 1
    loading: dict[str, Any] = {}
    if isinstance(stage, EncoderStage) and stage.encoder:
        start, revision = str(run.folder(stage.encoder)), None
    elif options.encoder_dropout is not None:
        loading["config"] = config_with_dropout(encoder, options.encoder_dropout, revision)
    return MultitaskForSequenceClassification.from_encoder(
        start,
        _weighted_tasks(stage, run),
        revision=revision,
        **loading,
        config_kwargs={
            "pooling": options.pooling,
            "representation": options.representation,
            "shared_layer_sizes": sizes,
            "classifier_dropout": options.classifier_dropout,
            "task_weighting": "uncertainty" if learned else "fixed",
            **config_kwargs,
        },
    )


def _weighted_tasks(stage: Stage, run: PreparedRun) -> dict[str, dict[str, Any]]:
    """The tasks of a stage. With "equal" weighting, all tasks count the same. With "size", the weight of a task is its
    share of all labelled training texts times the number of tasks, so that all labelled texts count the same."""
    tasks = {task: run.task_config(task) | run.loss_options(stage, task) for task in stage.tasks}
    if len(tasks) > 1 and run.args.model.task_weighting == "size":
        sizes = {task: count_labelled(torch.from_numpy(run.labels("train", task))).item() for task in tasks}
        for task, config in tasks.items():
            config["loss_weight"] = round(sizes[task] * len(sizes) / sum(sizes.values()), 6)
    return tasks


def _label_config(stage: Stage, run: PreparedRun) -> dict[str, Any]:
    task = run.task_config(stage.tasks[0])
    return {
        "id2label": dict(enumerate(task["labels"])),
        "label2id": {label: index for index, label in enumerate(task["labels"])},
        "problem_type": task["problem_type"],
        **run.loss_options(stage, stage.tasks[0]),
    }
