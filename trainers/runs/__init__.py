"""Running recipes: the Runner, its arguments, records and results."""

from ..training_arguments import check_ranges
from .arguments import HubArguments, RunArguments
from .context_turns import check_context, read_in_context
from .data_arguments import ALL_FOLDS, DataArguments
from .distillation import DISTILLATION_KINDS, DistillationArguments, distillation_runner
from .model_arguments import ModelArguments
from .prepared_run import PreparedRun, prepare_run
from .publishing import RunPublisher, with_publisher
from .records import StageRecord
from .recurrent_encoder import RecurrentArguments, write_recurrent_encoder
from .results import (
    chosen_thresholds,
    dev_logits_path,
    print_results,
    read_evaluation,
    read_results,
    task_results,
)
from .runner import RUN_ERRORS, Runner
from .stage_trainers import build_trainer
from .students import lowest_layers
from .terminal_text import verbatim
from .train import RunResult, train
from .yaml_files import read_yaml

__all__ = [
    "ALL_FOLDS",
    "DISTILLATION_KINDS",
    "RUN_ERRORS",
    "DataArguments",
    "DistillationArguments",
    "HubArguments",
    "ModelArguments",
    "PreparedRun",
    "RecurrentArguments",
    "RunArguments",
    "RunPublisher",
    "RunResult",
    "Runner",
    "StageRecord",
    "build_trainer",
    "check_context",
    "check_ranges",
    "chosen_thresholds",
    "dev_logits_path",
    "distillation_runner",
    "lowest_layers",
    "prepare_run",
    "print_results",
    "read_evaluation",
    "read_in_context",
    "read_results",
    "read_yaml",
    "task_results",
    "train",
    "verbatim",
    "with_publisher",
    "write_recurrent_encoder",
]
