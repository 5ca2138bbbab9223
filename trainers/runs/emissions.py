"""What a training emitted, where codecarbon measured it."""

from transformers.integrations import CodeCarbonCallback

from ..trainer import StageTrainer


def emissions_of(trainer: StageTrainer) -> float | None:
    """Kilograms of CO2 equivalents of a finished training; `None` without `--report_to codecarbon`."""
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, CodeCarbonCallback) and callback.tracker:
            return callback.tracker.final_emissions
    return None
