"""What a stage is made from: its recipe, parents, data, encoder and those arguments that change what is learnt."""

from typing import Any

from ..data.dialogues import DIALOGUE_COLUMNS
from ..data.digests import StageRecord, digest
from ..data.sources import ColumnValues
from ..loop.encoders import encoder_identity
from ..recipes.library import Stage
from ..training_arguments import DECISIVE_ARGUMENTS
from .arguments import CommonSpaceArguments
from .context import StageContext
from .stages import stage_arguments


def stage_record(stage: Stage, context: StageContext) -> StageRecord:
    """The record of a stage, by which it is found again: what else a run was given does not count.

    Args:
        stage ([`Stage`]): The stage.
        context ([`StageContext`]): Its run, with the records of the stages that it starts from.
    """
    args, model = context.args, context.args.model
    training = stage_arguments(stage, args)
    made_from: dict[str, Any] = {
        "recipe": {"kind": stage.kind, "tasks": stage.tasks, "frozen": stage.frozen, "config": stage.config},
        "parents": {part: context.records[parent].digest for part, parent in stage.starts_from.items()},
        "tokenizer": context.tokenizer_digest,
        "max_length": args.data.max_length,
        "data": {task: _data_identity(task, context) for task in (*stage.tasks, *stage.unlabelled)},
        "training": {name: getattr(training, name) for name in DECISIVE_ARGUMENTS}
        | {"global_batch_size": training.train_batch_size * training.gradient_accumulation_steps * training.world_size},
        "threshold": model.threshold,
    }
    made_from |= {
        option: getattr(model, option) for task in stage.tasks for option in context.loss_options(stage, task)
    }
    if stage.kind == "multitask" or stage.starts_anew:
        made_from["encoder"] = encoder_identity(*model.pretrained(stage.tasks[0]))
        made_from["model"] = {
            name: getattr(model, name)
            for name in ("pooling", "representation", "shared_layer_sizes", "classifier_dropout", "encoder_dropout")
        }
    if len(stage.tasks) > 1:
        # Only what is not the default: the records of earlier runs do not name them.
        if model.task_weighting != "equal":
            made_from["task_weighting"] = model.task_weighting
        if training.task_sampling != "mixed":
            made_from["task_sampling"] = training.task_sampling
    if stage.teachers:
        made_from["teachers"] = [context.records[teacher].digest for teacher in stage.teachers]
        if stage.temperature is not None:
            made_from["temperature"] = stage.temperature
    if stage.trains_encoder:
        made_from["freeze_word_embeddings"] = model.freeze_word_embeddings
    if stage.kind == "siamese":
        made_from["siamese"] = vars(args.siamese)
    elif stage.kind == "csr":
        made_from["common"] = _common_options(stage, args.common)
    elif stage.kind == "dialogue":
        made_from["dialogue"] = vars(args.dialogue)
        made_from["dialogues"] = {
            split: digest(iter(ColumnValues(rows, column)) for column in DIALOGUE_COLUMNS)
            for split, rows in context.tasks["emotion"].splits.items()
        }
    return StageRecord(stage.name, made_from)


def _common_options(stage: Stage, options: CommonSpaceArguments) -> dict[str, Any]:
    """The options of a common space. One that is trained with its encoder is trained as encoders are, whatever the
    epochs, batches and rate of those on vectors: these are written as if they were not given."""
    if not stage.joint:
        return vars(options)
    unused = ("common_learning_rate", "common_num_train_epochs", "common_train_batch_size")
    defaults = vars(CommonSpaceArguments())
    return vars(options) | {name: defaults[name] for name in unused}


def _data_identity(task: str, context: StageContext) -> dict[str, Any]:
    dataset = context.tasks[task]
    notes = {"notes": dataset.notes} if dataset.notes else {}
    texts = {
        split: digest(iter(ColumnValues(rows, column)) for column in ("text", "labels"))
        for split, rows in dataset.splits.items()
    }
    return {"name": dataset.name, "labels": dataset.labels, **notes, **texts}
