"""Checks before a run trains: encoders, options, the output folder and disk space."""

import dataclasses
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from transformers.integrations import get_available_reporting_integrations

from ..data import TaskDataset
from ..loop import encoder_bytes, encoder_config, longest_text
from ..recipes import CommonSpaceStage, DistilledStage, SiameseStage, Stage
from .arguments import RunArguments
from .records import RECORD_NAME, DamagedStageError, StageRecord
from .stage_arguments import stage_arguments
from .students import student_config

logger = logging.getLogger(__name__)


def check_encoders(stages: Sequence[Stage], args: RunArguments) -> None:
    """Check that the encoders can be loaded and fit the stages and options.

    Raises:
        ValueError, OSError: If they cannot or do not.
    """
    model, common, max_length = args.model, args.common, args.training.max_length
    for stage in stages:
        if stage.config.get("common_level") == "token" and model.representation != "pooled":
            raise ValueError(
                f"--representation {model.representation}: the stage {stage.name} reads token states, which only "
                "encoders with --representation pooled have."
            )
    for stage in stages:
        if isinstance(stage, DistilledStage) and (stage.student, stage.student_layers) != (None, None):
            longest = longest_text(student_config(stage.teacher, stage.student, stage.student_layers))
            if max_length > longest:
                raise ValueError(f"--max_length {max_length}: the student reads at most {longest} tokens.")
    if all(isinstance(stage, DistilledStage) for stage in stages):
        return
    for option, encoder, revision in (
        ("encoder", model.encoder, model.encoder_revision),
        ("sentiment_encoder", model.sentiment_encoder, None),
    ):
        if encoder is None:
            continue
        try:
            config = encoder_config(encoder, revision)
        except OSError as error:
            raise OSError(f"--{option} {encoder} could not be loaded: {error}") from error
        longest = longest_text(config)
        if max_length > longest:
            raise ValueError(f"--max_length {max_length}: {encoder} reads at most {longest} tokens.")
        sizes = model.shared_layer_sizes
        size = sizes[-1] if sizes and model.representation == "shared" else config.hidden_size
        if option == "encoder" and common.common_size is not None and not 0 < common.common_size < size:
            raise ValueError(
                f"--common_size {common.common_size} must lie between 0 and {size}, the width of the emotion "
                "representation."
            )


def check_loss_options(
    args: RunArguments, records: Mapping[str, StageRecord], tasks: Mapping[str, TaskDataset]
) -> None:
    """Check that options for labels, such as `--class_weights`, apply to any stage, if they are given.

    Raises:
        ValueError: If one of them would have no effect.
    """
    for option, default, needed in (
        ("class_weights", "none", "labels"),
        ("label_loss", "cross_entropy", "several labels per text"),
        ("threshold_folds", None, "several labels per text, or with --calibrate"),
        ("calibrate", False, "labels"),
    ):
        value = getattr(args.model, option)
        if value != default and not any(option in record.made_from for record in records.values()):
            names = ", ".join(dataset.name for dataset in tasks.values())
            raise ValueError(f"--{option} {value} is for emotion data with {needed}; the run has {names}.")


def check_reporters(names: Sequence[str]) -> None:
    """Check that the trackers to report to are installed, which transformers does only when it builds a Trainer.

    Raises:
        ValueError: If one is not.
    """
    there = get_available_reporting_integrations()
    missing = [name for name in names if name not in there]
    if missing:
        raise ValueError(
            f"--report_to {' '.join(missing)}: not installed, or not a tracker that transformers knows. Installed: "
            f"{', '.join(there) or 'none'}."
        )


def check_place(option: str, folder: Path) -> None:
    """Check that a folder can be made, if it is not there yet.

    Raises:
        NotADirectoryError: If it, or a folder above it, is a file.
    """
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise NotADirectoryError(f"--{option} {folder}: {existing} is a file, not a folder. Choose another place.")


def check_output_folder(output_dir: Path, records: Mapping[str, StageRecord], repair: bool = False) -> list[Path]:
    """Check that the folder of each stage is empty or contains the same stage, undamaged.

    Args:
        output_dir (`Path`): The run's folder.
        records (`Mapping[str, StageRecord]`): By stage, what this run would train.
        repair (`bool`, defaults to `False`): Whether damaged stages are to be trained anew.

    Returns:
        `list[Path]`: Folders of damaged stages, if `repair` is set.

    Raises:
        ValueError: If a folder contains something else; the message lists the differences.
        DamagedStageError: If a finished stage is damaged and `repair` is not set.
    """
    damaged = []
    for name, record in records.items():
        folder = output_dir / name
        check_place("output_dir", folder)
        if not folder.is_dir():
            continue
        try:
            # A run that was killed while it began, or refused, leaves no more than this.
            if all(_is_a_beginning(path) for path in folder.iterdir()):
                continue
            found = StageRecord.read(folder)
            if found is not None and not found.differences(record):
                found.check_files(folder)
        except DamagedStageError as error:
            if not repair:
                raise
            logger.warning("%s", error.what)
            damaged.append(folder)
            continue
        if found is None:
            raise ValueError(
                f"{folder} exists but was not written by a run of this project (it has no {RECORD_NAME}). Choose "
                "another --output_dir, or delete that folder if it is a stage of yours, to train it anew."
            )
        differences = found.differences(record)
        if differences:
            raise ValueError(
                f"{folder} belongs to another run:\n  " + "\n  ".join(differences) + f"\nSo says its {RECORD_NAME}. "
                "Choose another --output_dir, or delete that folder to train the stage anew."
            )
    return damaged


def _is_a_beginning(path: Path) -> bool:
    """Whether a path in a stage's folder is all that a stage has before it trains: its unfinished record."""
    if path.name != RECORD_NAME:
        return path.suffix == ".unfinished"
    found = StageRecord.read(path.parent)
    return found is not None and not found.complete


def check_pairs(stages: Sequence[Stage], tasks: Mapping[str, TaskDataset]) -> None:
    """Check that stages which compare texts have two of them to compare, in either split.

    Raises:
        ValueError: If there are fewer.
    """
    for stage in stages:
        for split in ("train", "dev") if isinstance(stage, SiameseStage) else ():
            data = tasks[stage.tasks[0]]
            targets = data.targets(split)
            labelled = np.nan_to_num(targets).any(axis=1) if targets.ndim == 2 else targets >= 0
            if labelled.sum() < 2:
                raise ValueError(
                    f"{data.name}: the stage {stage.name} compares texts that have labels, and {split} has only "
                    f"{labelled.sum()} of them. Label more, or choose a --recipe without that stage, such as bert."
                )


def check_disk_space(output_dir: Path, stages: Sequence[Stage], args: RunArguments) -> None:
    """Check that there is enough disk space for the unfinished stages.

    Raises:
        OSError: If there is not enough.
    """
    if all(isinstance(stage, DistilledStage) for stage in stages):
        # A student is as large as a part of its teacher, which already exists.
        return
    size = encoder_bytes(args.model.encoder, args.model.encoder_revision)
    missing = [stage for stage in stages if not is_finished(output_dir / stage.name)]
    # A finished common space contains two encoders; a checkpoint contains the weights and two moments of each.
    final = sum(size * (2 if isinstance(stage, CommonSpaceStage) else 1) for stage in missing)
    needed = final + (6 * size if missing else 0)
    existing = next(folder for folder in (output_dir, *output_dir.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise OSError(
            f"{output_dir} needs about {needed / 1e9:.1f} GB for {len(missing)} stages but only {free / 1e9:.1f} GB "
            "are free. Make room or choose another --output_dir."
        )


def is_finished(folder: Path) -> bool:
    """Whether a stage's folder contains the finished stage, with a record that can be read."""
    try:
        found = StageRecord.read(folder)
    except DamagedStageError:
        return False
    return found is not None and found.complete


def warn_of_overruled_options(stages: Sequence[Stage], args: RunArguments) -> None:
    """Warn about options that have no effect on a stage because its recipe sets them."""
    given = args.training
    defaults = {field.name: field.default for field in dataclasses.fields(given)}
    for stage in stages:
        own = stage_arguments(stage, args)
        for name in stage.training:
            if getattr(given, name) not in (defaults[name], getattr(own, name)):
                value = getattr(own, name)
                logger.warning("--%s has no effect on %s: its recipe sets %s.", name, stage.name, value)
