"""Carrying recipes out: the Runner, its arguments, records and results."""

from .arguments import RunArguments
from .data_arguments import DataArguments
from .model_arguments import ModelArguments
from .prepared_run import PreparedRun, prepare_run
from .records import StageRecord
from .recurrent_encoder import RecurrentArguments, write_recurrent_encoder
from .results import chosen_thresholds, dev_logits_path, print_results, read_results, task_results
from .runner import Runner
from .stage_trainers import build_trainer
from .train import RunResult, train

__all__ = [
    "DataArguments",
    "ModelArguments",
    "PreparedRun",
    "RecurrentArguments",
    "RunArguments",
    "RunResult",
    "Runner",
    "StageRecord",
    "build_trainer",
    "chosen_thresholds",
    "dev_logits_path",
    "prepare_run",
    "print_results",
    "read_results",
    "task_results",
    "train",
    "write_recurrent_encoder",
]
