"""The record in each stage's folder of everything that its result depends on, so that it can be reused."""

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from modeling_csr import ADAPTER_FOLDER

from ..data import DIALOGUE_COLUMNS, ColumnValues, Seal, TaskDataset, damages, digest, tokenizer_digest, write_json
from ..hub import decisive_arguments, is_part_of_model
from ..loop import encoder_identity
from ..recipes import CommonSpaceStage, DialogueStage, DistilledStage, EncoderStage, SiameseStage, Stage
from .arguments import CommonSpaceArguments, RunArguments
from .stage_arguments import stage_arguments_for
from .task_options import cross_fitted, loss_options

RECORD_NAME = "stage.json"
# Cards and figures may be edited or drawn again; no result depends on them.
EDITABLE = (".md", ".png")


class DamagedStageError(ValueError):
    """A finished stage whose files are not as they were written.

    Args:
        folder (`Path`): Its folder.
        damages (`Sequence[str]`): What is wrong, one line each.
    """

    def __init__(self, folder: Path, damages: Sequence[str]) -> None:
        self.what = f"The stage in {folder} is damaged, going by its {RECORD_NAME}:\n  " + "\n  ".join(damages)
        super().__init__(f"{self.what}\nRepeat the command with --repair True to train it anew.")


@dataclass
class StageRecord:
    """Everything that the result of a stage depends on.

    Args:
        stage (`str`): The stage's name.
        made_from (`dict`): Data, encoder, parents, arguments and seed.
        files (`dict[str, Seal]`, *optional*): Once the stage is finished, sizes and hashes of its files by name.
    """

    stage: str
    made_from: dict[str, Any]
    files: dict[str, Seal] | None = None

    def __post_init__(self) -> None:
        # Converted as when read back, so that records compare equal.
        self.made_from = json.loads(json.dumps(self.made_from))

    @property
    def digest(self) -> str:
        return digest(self.made_from)

    @property
    def complete(self) -> bool:
        """Whether the stage is finished."""
        return self.files is not None

    @classmethod
    def read(cls, folder: str | os.PathLike) -> Self | None:
        """The record in a folder, or `None` if there is none.

        Raises:
            DamagedStageError: If the file cannot be read.
        """
        path = Path(folder) / RECORD_NAME
        if not path.is_file():
            return None
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            files = fields["files"]
            if files is not None:
                files = {name: Seal(**seal) for name, seal in files.items()}
            return cls(fields["stage"], dict(fields["made_from"]), files)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedStageError(Path(folder), [f"{path} cannot be read ({error})"]) from error

    def finished(self, folder: Path) -> Self:
        """The record of the finished stage in a folder. Its files are on the disk by then."""
        paths = [path for path in files_of_stage(folder) if path.suffix not in EDITABLE and path.name != RECORD_NAME]
        return dataclasses.replace(self, files={path.relative_to(folder).as_posix(): Seal.of(path) for path in paths})

    def check_files(self, folder: Path) -> None:
        """Check that a finished stage's files are as they were written.

        Raises:
            DamagedStageError: If a file is missing or has other contents.
        """
        found = damages(folder, self.files or {})
        if found:
            raise DamagedStageError(folder, found)

    def write(self, folder: str | os.PathLike) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        write_json(Path(folder) / RECORD_NAME, asdict(self))

    def differences(self, other: "StageRecord") -> list[str]:
        """One line per difference from another record."""
        mine, others = _flat(self.made_from), _flat(other.made_from)
        return [
            f"{key}: {mine.get(key)} there, {others.get(key)} here"
            for key in sorted(mine.keys() | others.keys())
            if mine.get(key) != others.get(key)
        ]


def files_of_stage(folder: Path) -> list[Path]:
    """The files in a stage's folder that the stage has written, in order of their names, those of its adapter last."""
    arrays = (path for path in folder.glob("*.npy") if path.is_file() and not path.is_symlink())
    adapter = folder / ADAPTER_FOLDER
    below = adapter.iterdir() if adapter.is_dir() and not adapter.is_symlink() else ()
    return [*sorted([*filter(is_part_of_model, folder.iterdir()), *arrays]), *sorted(filter(is_part_of_model, below))]


def stage_record(
    stage: Stage,
    args: RunArguments,
    tasks: Mapping[str, TaskDataset],
    tokenizer: Any,
    records: Mapping[str, StageRecord],
) -> StageRecord:
    """Create the record of a stage: its recipe, parents, data, encoder and the arguments that affect its result.

    Args:
        stage ([`Stage`]): The stage.
        args ([`RunArguments`]): The run's arguments; those without effect on the result are left out.
        tasks (`Mapping[str, TaskDataset]`): By task, its data.
        tokenizer (`PreTrainedTokenizerBase`): The run's tokenizer.
        records (`Mapping[str, StageRecord]`): Records of the stages that it starts from.
    """
    model, training = args.model, stage_arguments_for(stage, args, tasks)
    made_from: dict[str, Any] = {
        "recipe": {"kind": stage.kind, "tasks": stage.tasks, "config": dict(stage.config)},
        "parents": {part: records[parent.name].digest for part, parent in stage.starts_from.items()},
        "tokenizer": tokenizer_digest(tokenizer),
        "max_length": training.max_length,
        "data": {task: _data_identity(tasks[task]) for task in (*stage.tasks, *stage.unlabelled)},
        "training": decisive_arguments(training),
        "threshold": model.threshold,
    }
    if model.calibrate and any(tasks[task].problem_type != "regression" for task in stage.tasks if stage.classifies):
        made_from["calibrate"] = True
    if cross_fitted(stage, tasks, model):
        made_from["threshold_folds"] = model.threshold_folds
    for task in stage.tasks:
        made_from |= {option: getattr(model, option) for option in loss_options(stage, task, tasks[task], model)}
    if stage.pretrained_parts or isinstance(stage, EncoderStage):
        made_from["encoder"] = encoder_identity(*model.pretrained(stage.tasks[0]))
        made_from["model"] = {
            name: getattr(model, name)
            for name in ("pooling", "representation", "shared_layer_sizes", "classifier_dropout", "encoder_dropout")
        }
    if len(stage.tasks) > 1:
        made_from |= {"task_weighting": model.task_weighting, "task_sampling": training.task_sampling}
    if stage.teachers:
        made_from["teachers"] = [records[teacher.name].digest for teacher in stage.teachers]
    if stage.trains_encoder:
        made_from["freeze_word_embeddings"] = training.freeze_word_embeddings
        if args.adapters.options is not None:
            rate = training.adapter_learning_rate
            made_from["adapters"] = args.adapters.options | {"adapter_learning_rate": rate}
    if isinstance(stage, SiameseStage | DialogueStage) and stage.trains_encoder:
        made_from["recipe"] |= {"trains": stage.trains}
    match stage:
        case SiameseStage():
            made_from["siamese"] = vars(args.siamese)
        case CommonSpaceStage():
            made_from["common"] = _common_options(stage, args.common)
            if args.adapters.shared_backbone:
                made_from["shared_backbone"] = True
            made_from["recipe"] |= {"trains": stage.trains, "temperature": stage.temperature}
        case DialogueStage():
            made_from["dialogue"] = vars(args.dialogue)
            made_from["dialogues"] = {
                split: digest(iter(ColumnValues(rows, column)) for column in DIALOGUE_COLUMNS)
                for split, rows in tasks["emotion"].splits.items()
            }
        case DistilledStage():
            made_from["teacher"] = encoder_identity(stage.teacher)
            if stage.student is not None:
                made_from["student"] = encoder_identity(stage.student)
            if stage.student_layers is not None:
                made_from["student_layers"] = stage.student_layers
    return StageRecord(stage.name, made_from)


def _common_options(stage: CommonSpaceStage, options: CommonSpaceArguments) -> dict[str, Any]:
    """Options of a common space. Learning rate, epochs and batch size of a space on vectors are left out for one that
    is trained with its encoders."""
    if not stage.trains_encoder:
        return vars(options)
    unused = ("common_learning_rate", "common_num_train_epochs", "common_train_batch_size")
    return {name: value for name, value in vars(options).items() if name not in unused}


def _data_identity(dataset: TaskDataset) -> dict[str, Any]:
    texts = {
        split: digest(iter(ColumnValues(rows, column)) for column in ("text", "labels"))
        for split, rows in dataset.splits.items()
    }
    return {"name": dataset.name, "labels": dataset.labels, "notes": dataset.notes, **texts}


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        key: leaf for name, item in value.items() for key, leaf in _flat(item, f"{prefix}.{name}".strip(".")).items()
    }
