"""Distillation: a run of one stage, in which a trained model teaches a small one of a stock class."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..data import BAD_ROWS, UNLABELLED_ROWS, TaskDataset, in_label_space, load_task_dataset, select_labels
from ..evaluation import THRESHOLD_MODES, label_names, load_classifier
from ..recipes import DistilledStage, Recipe
from ..training_arguments import StageTrainingArguments, check_ranges
from .adapter_arguments import AdapterArguments
from .arguments import HubArguments, RunArguments
from .runner import Runner


@dataclass
class DistillationArguments:
    """The teacher, and the texts to teach on."""

    teacher: str = field(metadata={"help": "Folder or Hub id of the trained model, such as outputs/demo/csr."})
    student: str | None = field(
        default=None,
        metadata={
            "help": "Folder or Hub id of the encoder that the student starts from (default: the teacher's emotion "
            "encoder)."
        },
    )
    student_layers: int | None = field(
        default=None, metadata={"help": "Keep only this many layers of that encoder, the lowest ones."}
    )
    dataset: str = field(
        default="csr-emotion-posts",
        metadata={"help": "The emotion data, given as for training; only the labels of dev are used."},
    )
    data_dir: str | None = field(
        default=None, metadata={"help": "Directory with one subfolder per registered dataset."}
    )
    text_column: str | None = field(default=None, metadata={"help": "Text column of your own data (default: text)."})
    label_columns: list[str] | None = field(
        default=None, metadata={"help": "Label column(s) of your own data (default: label or labels)."}
    )
    # transformers has a training argument called label_names.
    dataset_label_names: list[str] | None = field(
        default=None, metadata={"help": "All labels, in order, where the column has 0/1 lists or numbers."}
    )
    bad_rows: str = field(
        default="error",
        metadata={"help": "Whether rows that are not valid are errors or left out.", "choices": BAD_ROWS},
    )
    unlabelled_rows: str = field(
        default="error", metadata={"help": "The same for rows without a label.", "choices": UNLABELLED_ROWS[:2]}
    )
    labels: list[str] | None = field(
        default=None, metadata={"help": "Use only these labels of multi-label data, such as those of the teacher."}
    )
    unlabelled_dataset: str | None = field(
        default="csr-emotion-posts-sentiment",
        metadata={"help": "Additional texts, such as the sentiment data; they need no labels."},
    )
    unlabelled_text_column: str | None = field(
        default=None, metadata={"help": "Text column of these texts (default: text)."}
    )
    max_unlabelled_samples: int = field(
        default=20_000, metadata={"help": "Use at most this many unlabelled texts, drawn by --seed."}
    )
    threshold: str = field(
        default="global", metadata={"help": "Decision thresholds, tuned on dev.", "choices": THRESHOLD_MODES}
    )
    threshold_folds: int | None = field(
        default=None,
        metadata={
            "help": "Choose the thresholds without dev, on out-of-fold predictions of the training texts: so many "
            "further students, each without one fold of them. --calibrate uses the same predictions."
        },
    )
    calibrate: bool = field(
        default=False,
        metadata={
            "help": "Fit a calibration of the probabilities where the thresholds are tuned, and store it in the config."
        },
    )
    baseline: str | None = field(
        default=None,
        metadata={
            "help": "Folder of a model trained only on the labels, for comparison: the emotion-encoder of a run."
        },
    )

    def __post_init__(self) -> None:
        check_ranges(vars(self))
        if self.baseline is not None and not (Path(self.baseline) / "eval_results.json").is_file():
            raise FileNotFoundError(f"--baseline {self.baseline} is not the folder of a finished stage.")


# What the options of a distillation describe.
DISTILLATION_KINDS = (DistillationArguments, HubArguments, StageTrainingArguments, AdapterArguments)


def distillation_runner(
    args: DistillationArguments,
    training: StageTrainingArguments,
    hub: HubArguments,
    adapters: AdapterArguments | None = None,
    **kwargs: Any,
) -> Runner:
    """Create the Runner of a distillation. The student's folder is the output folder of the arguments.

    Args:
        args ([`DistillationArguments`]): Teacher and texts.
        training ([`StageTrainingArguments`]): The training arguments.
        hub ([`HubArguments`]): The publishing arguments.
        adapters ([`AdapterArguments`], *optional*): LoRA adapters to train in the student.
        **kwargs: Further arguments of [`Runner`].

    Raises:
        ValueError, OSError: If something is wrong, before anything is trained.
    """
    folder = Path(training.output_dir).resolve()
    data = _data(args)
    run = RunArguments.from_options(
        recipe=[],
        threshold=args.threshold,
        threshold_folds=args.threshold_folds,
        calibrate=args.calibrate,
        emotion_dataset=args.dataset,
        data_dir=args.data_dir,
        unlabelled_dataset=args.unlabelled_dataset,
        unlabelled_text_column=args.unlabelled_text_column,
        bad_rows=args.bad_rows,
        max_unlabelled_samples=args.max_unlabelled_samples,
    )
    # The folder of a stage is in that of its run.
    run.training = dataclasses.replace(
        training, output_dir=str(folder.parent), hub_model_id=training.hub_model_id or folder.name
    )
    teacher_id = hub.teacher_id or (None if Path(args.teacher).exists() else args.teacher)
    compared: dict[str, Any] = (
        {"compare_with": args.baseline, "compare_with_name": "plain encoder"} if args.baseline else {}
    )
    run.hub = dataclasses.replace(hub, teacher_id=teacher_id, **compared)
    run.adapters = adapters or run.adapters
    run.check()
    unlabelled = ("unlabelled",) if args.unlabelled_dataset else ()
    stage = DistilledStage(
        name=folder.name,
        teacher=args.teacher,
        unlabelled_tasks=unlabelled,
        student=args.student,
        student_layers=args.student_layers,
    )
    return Runner(run, {"emotion": data}, [Recipe(folder.name, (stage,))], **kwargs)


def _data(args: DistillationArguments) -> TaskDataset:
    """The emotion data in the label space of the teacher, all of whose weights must be there."""
    teacher = load_classifier(args.teacher)
    names, problem_type = label_names(teacher.config), teacher.config.problem_type
    data = load_task_dataset(
        args.dataset,
        data_dir=args.data_dir,
        text_column=args.text_column,
        label_columns=args.label_columns,
        label_names=args.dataset_label_names,
        labels=names if args.labels is None else None,
        bad_rows=args.bad_rows,
        unlabelled_rows=args.unlabelled_rows,
    )
    if args.labels is not None:
        data = select_labels(data, args.labels, option="--labels")
    return in_label_space(data, names, problem_type, columns=args.label_columns, owner="The teacher")
