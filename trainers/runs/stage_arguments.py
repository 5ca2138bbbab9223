"""The training arguments of a stage, derived from the run's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..csr_trainer import CSRTrainingArguments
from ..data import TaskDataset
from ..dialogue_trainer import DialogueTrainingArguments
from ..recipes import SOURCE_TASKS, CommonSpaceStage, DialogueStage, EncoderStage, SiameseStage, Stage
from ..siamese_trainer import SiameseTrainingArguments
from ..training_arguments import StageTrainingArguments
from .arguments import RunArguments
from .best_metric import with_best_metric


def stage_arguments(stage: Stage, args: RunArguments) -> StageTrainingArguments:
    """Training arguments of a stage: the run's, overridden by those for the kind of stage, then by the recipe's."""
    training = args.training
    changes: dict[str, Any] = {
        "output_dir": str(Path(training.output_dir) / stage.name),
        "cache_dir": training.cache_dir or training.output_dir,
        "seed": training.seed + stage.seed_offset,
        # The Runner publishes complete stages; the Trainer would push whatever is there.
        "push_to_hub": False,
    }
    kind: type[StageTrainingArguments] = StageTrainingArguments
    match stage:
        case EncoderStage():
            if stage.tasks[0] in SOURCE_TASKS and args.model.source_num_train_epochs is not None:
                changes["num_train_epochs"] = args.model.source_num_train_epochs
        case CommonSpaceStage():
            kind = CSRTrainingArguments
            changes["trains"] = stage.trains
            if stage.trains_encoder:
                changes["head_learning_rate"] = args.common.common_learning_rate
            else:
                changes |= _on_vectors(args.common, "common")
        case SiameseStage():
            kind = SiameseTrainingArguments
            changes |= {
                "trains": stage.trains,
                "pair_strategy": args.siamese.siamese_pairs,
                "pair_target": args.siamese.siamese_target,
                "pairs_per_text": args.siamese.siamese_pairs_per_text,
            }
            if stage.trains_encoder:
                changes |= {
                    "num_train_epochs": args.siamese.siamese_num_train_epochs,
                    "head_learning_rate": args.siamese.siamese_learning_rate,
                    "train_sampling_strategy": "random",  # a pair has two lengths
                }
            else:
                changes |= _on_vectors(args.siamese, "siamese")
        case DialogueStage():
            kind = DialogueTrainingArguments
            changes |= {"trains": stage.trains, "max_utterances": args.dialogue.max_utterances}
            if stage.trains_encoder:
                changes |= {
                    "per_device_train_batch_size": args.dialogue.dialogue_train_batch_size,
                    "head_learning_rate": args.dialogue.dialogue_learning_rate,
                    "train_sampling_strategy": "random",  # a dialogue has many lengths
                }
            else:
                changes |= _on_vectors(args.dialogue, "dialogue")
    changes |= stage.training
    if stage.trains_encoder and training.head_learning_rate is not None:
        changes["head_learning_rate"] = training.head_learning_rate
    return kind.derived_from(training, **changes)


def stage_arguments_for(stage: Stage, args: RunArguments, tasks: Mapping[str, TaskDataset]) -> StageTrainingArguments:
    """The same, with what depends on the data: the metric of the best checkpoint, and the number of epochs."""
    training = with_best_metric(stage_arguments(stage, args), stage, tasks)
    return training.with_epochs({task: tasks[task].splits["train"] for task in (*stage.tasks, *stage.unlabelled)})


def _on_vectors(options: Any, prefix: str) -> dict[str, Any]:
    """Arguments of stages that train small networks on vectors, where half precision costs more than it saves."""
    return {
        "learning_rate": getattr(options, f"{prefix}_learning_rate"),
        "num_train_epochs": getattr(options, f"{prefix}_num_train_epochs"),
        "per_device_train_batch_size": getattr(options, f"{prefix}_train_batch_size"),
        "head_learning_rate": None,
        "bf16": False,
        "bf16_weights": False,
        "fp16": False,
        "train_sampling_strategy": "random",
    }
