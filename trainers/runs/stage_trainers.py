"""Building the Trainer of a stage."""

from collections.abc import Sequence
from typing import Any

from transformers import AutoTokenizer, TrainerCallback, set_seed

from ..csr_trainer import CSRTrainer
from ..dialogue_trainer import DialogueTrainer
from ..distillation_trainer import DistillationTrainer, self_trained_rows
from ..multitask_trainer import MultitaskTrainer
from ..recipes import CommonSpaceStage, DialogueStage, DistilledStage, EncoderStage, SiameseStage, Stage
from ..siamese_trainer import SiameseTrainer
from ..trainer import StageTrainer
from ..training_arguments import StageTrainingArguments
from .models import build_model
from .prepared_run import PreparedRun
from .stage_arguments import stage_arguments_for

TRAINERS: dict[type[Stage], type[StageTrainer]] = {
    EncoderStage: MultitaskTrainer,
    SiameseStage: SiameseTrainer,
    CommonSpaceStage: CSRTrainer,
    DialogueStage: DialogueTrainer,
    DistilledStage: DistillationTrainer,
}


def build_trainer(stage: Stage, run: PreparedRun, callbacks: Sequence[TrainerCallback] = ()) -> StageTrainer:
    """Build a stage's Trainer. The same seed gives the same initial weights, whatever ran before.

    Args:
        stage ([`Stage`]): The stage.
        run ([`PreparedRun`]): The run; its folder contains the finished stages that this one starts from.
        callbacks (`Sequence[TrainerCallback]`): Additional callbacks.
    """
    args = stage_arguments_for(stage, run.args, run.tasks)
    set_seed(args.seed)
    further: dict[str, Any] = {} if isinstance(stage, EncoderStage) else {"task_name": stage.tasks[0]}
    if isinstance(stage, DistilledStage):
        further["teachers"] = [stage.teacher]
        if stage.student is not None:
            further["teacher_tokenizer"] = AutoTokenizer.from_pretrained(stage.teacher)
    if stage.trains_encoder:
        further["peft_config"] = run.args.adapters.options
    trainer = next(TRAINERS[kind] for kind in type(stage).__mro__ if kind in TRAINERS)
    return trainer(
        model=build_model(stage, run),
        args=args,
        train_dataset=_train_dataset(stage, run, args),
        eval_dataset=_split(stage, run, "dev"),
        processing_class=run.tokenizer,
        callbacks=list(callbacks),
        **further,
    )


def _split(stage: Stage, run: PreparedRun, split: str) -> Any:
    rows = {task: run.tasks[task].splits[split] for task in stage.tasks}
    return rows if isinstance(stage, EncoderStage) else rows[stage.tasks[0]]


def _train_dataset(stage: Stage, run: PreparedRun, args: StageTrainingArguments) -> Any:
    rows = _split(stage, run, "train")
    unlabelled = [run.tasks[task].splits["train"] for task in stage.unlabelled]
    if isinstance(stage, DistilledStage):
        return [{"text": text} for part in (rows, *unlabelled) for text in part["text"][:]]
    if isinstance(stage, CommonSpaceStage) and stage.teachers:
        teachers = [run.folder(teacher) for teacher in stage.teachers]
        return self_trained_rows(args, teachers, run.tokenizer, rows, unlabelled, stage.temperature)
    return rows
