"""Which checkpoints of a training are whole."""

import json
import logging
import shutil
from dataclasses import asdict
from pathlib import Path

from accelerate import PartialState
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from ..data import Seal, damages, write_json

logger = logging.getLogger(__name__)

SEALS_NAME = "checkpoint_files.json"


def seal_checkpoint(folder: Path) -> None:
    """Record sizes and hashes of a checkpoint's files, once all of them are written.

    Args:
        folder (`Path`): The checkpoint.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SEALS_NAME)
    write_json(folder / SEALS_NAME, {str(path.relative_to(folder)): asdict(Seal.of(path)) for path in paths})


def last_complete_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint whose files are all as they were written; later ones are deleted, with a warning.

    Args:
        folder (`Path`): The folder of the training.
    """
    for checkpoint in sorted(_checkpoints(folder), key=lambda path: int(path.name.rsplit("-", 1)[1]), reverse=True):
        broken = _damages(checkpoint)
        if not broken:
            return checkpoint
        logger.warning("%s: training does not continue from this checkpoint, which is deleted.", "; ".join(broken))
        if PartialState().is_main_process:
            shutil.rmtree(checkpoint)
    return None


def remove_checkpoints(folder: Path) -> None:
    """Delete the checkpoints of a finished training; only the main process does.

    Args:
        folder (`Path`): The folder of the training.
    """
    if PartialState().is_main_process:
        for checkpoint in _checkpoints(folder):
            shutil.rmtree(checkpoint)


def _checkpoints(folder: Path) -> list[Path]:
    return [path for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if path.name.rsplit("-", 1)[1].isdigit()]


def _damages(checkpoint: Path) -> list[str]:
    path = checkpoint / SEALS_NAME
    try:
        seals = {name: Seal(**seal) for name, seal in json.loads(path.read_text(encoding="utf-8")).items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return [f"{checkpoint} was not written to its end"]
    return damages(checkpoint, seals)
