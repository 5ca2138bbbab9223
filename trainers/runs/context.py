"""What all stages of a run share: its arguments, data, tokenizer and records, and what is cached of its texts."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, Features, concatenate_datasets
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from modeling_csr import MultitaskModel

from ..data.class_weights import class_weights
from ..data.digests import StageRecord, digest
from ..data.sources import ColumnValues
from ..data.task_dataset import TaskDataset
from ..hub.repositories import HubRepositories
from ..loop.representations import cached_representations
from ..recipes.library import Stage
from .arguments import RunArguments
from .self_training import soften, teacher_probabilities


def numbered(texts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each text with how often it has come before."""
    seen: Counter[str] = Counter()
    for text in texts:
        yield text, seen[text]
        seen[text] += 1


def join_texts(parts: Sequence[Dataset]) -> Dataset:
    """One row of the rows of several datasets that have the same text.

    A text that stands in one of them twice is two rows, the first of which is joined with the first of the others.

    Args:
        parts (`Sequence[Dataset]`): Each with the column `text` and a column of labels of its own.

    Returns:
        `Dataset`, with all columns; `None` where a row has no labels.
    """
    columns = {column: feature for part in parts for column, feature in part.features.items()}
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for part in parts:
        for key, row in zip(numbered(ColumnValues(part, "text")), part, strict=True):
            rows.setdefault(key, dict.fromkeys(columns)).update(row)
    return Dataset.from_list(list(rows.values()), features=Features(columns))


@dataclasses.dataclass
class StageContext:
    """What all stages of a run share.

    Args:
        args ([`RunArguments`]): The run's arguments.
        tasks (`dict[str, TaskDataset]`): The data, by task.
        tokenizer (`PreTrainedTokenizerBase`): The tokenizer of all encoders.
        records (`dict[str, StageRecord]`): The record of each stage, by stage name.
        repositories ([`HubRepositories`], *optional*): Where the stages go on the Hub, if they do.
    """

    args: RunArguments
    tasks: dict[str, TaskDataset]
    tokenizer: PreTrainedTokenizerBase
    records: dict[str, StageRecord]
    repositories: HubRepositories | None = None

    @property
    def tokenizer_digest(self) -> str:
        """What tells one tokenizer from another; how the last call cut and padded does not count."""
        backend = Tokenizer.from_str(self.tokenizer.backend_tokenizer.to_str())
        backend.no_truncation()
        backend.no_padding()
        return digest(backend.to_str())

    @property
    def output_dir(self) -> Path:
        return Path(self.args.training.output_dir)

    def folder(self, stage: str) -> Path:
        return self.output_dir / stage

    def task_config(self, task: str) -> dict[str, Any]:
        """A task as [`MultitaskConfig`] has it, without what its loss is."""
        data = self.tasks[task]
        return {"labels": list(data.labels), "problem_type": data.problem_type}

    def loss_options(self, stage: Stage, task: str) -> dict[str, Any]:
        """What `--class_weights` and `--label_loss` ask for, as far as it is for a stage and its task.

        What the emotions are learnt from besides is learnt without, so that a source encoder is the same for all. A
        self-trained stage has no weights: its teachers say rare labels more often already, and twice is too much.
        """
        data, model = self.tasks[task], self.args.model
        options: dict[str, Any] = {}
        if task != "emotion":
            return options
        if model.class_weights != "none" and data.problem_type != "regression" and not stage.teachers:
            options["class_weights"] = class_weights(self.labels("train"), data.labels, model.class_weights)
        if model.label_loss != "cross_entropy" and data.problem_type == "multi_label_classification":
            options["label_loss"] = model.label_loss
        return options

    def labels(self, split: str, task: str = "emotion") -> np.ndarray:
        """Multi-hot floats or scores `(texts, num_labels)`, or class ids `(texts,)`."""
        return self.tasks[task].targets(split)

    def tokenized(self, tasks: Sequence[str], split: str, join: bool = True) -> Dataset:
        """The texts of one or several tasks, tokenised, with a column `labels_<task>` for each.

        Args:
            tasks (`Sequence[str]`): The tasks.
            split (`str`): The split.
            join (`bool`, defaults to `True`): Whether a text that several tasks have labels of is one row with all of
                them. The rows of the first task come first, in their order, then what the others add.
        """
        # Some data have further columns, such as the speaker.
        rows = [self.tasks[task].splits[split].select_columns(["text", "labels"]) for task in tasks]
        parts = [part.rename_column("labels", f"labels_{task}") for part, task in zip(rows, tasks, strict=True)]
        if not join or len(parts) == 1:
            named = zip(parts, tasks, strict=True)
            return concatenate_datasets([self._tokenize(part, f"Tokenising {task} {split}") for part, task in named])
        return self._tokenize(join_texts(parts), f"Tokenising {', '.join(tasks)} {split}")

    def joined_rows(self, tasks: Sequence[str], split: str) -> dict[str, np.ndarray]:
        """By task, where the rows of its data stand among those of [`~StageContext.tokenized`]."""
        keys = {task: list(numbered(ColumnValues(self.tasks[task].splits[split], "text"))) for task in tasks}
        joined = dict.fromkeys(key for of_task in keys.values() for key in of_task)
        places = {key: place for place, key in enumerate(joined)}
        return {task: np.array([places[key] for key in of_task]) for task, of_task in keys.items()}

    def tokenized_with_soft_targets(self, stage: Stage) -> Dataset:
        """The training texts of a stage with teachers, tokenised, with a column `labels_emotion`.

        The emotion texts' targets are half their labels and half what the teachers say; those of the texts that have no
        emotion labels are all the teachers'.
        """
        parts = []
        for task in ("emotion", *stage.unlabelled):
            texts = self.tasks[task].splits["train"]["text"][:]
            targets = self._teacher_probabilities(stage, texts)
            if task == "emotion":
                targets = soften(self.labels("train"), targets, share=0.5)
            rows = Dataset.from_dict({"text": texts, "labels": targets})
            rows = rows.rename_column("labels", "labels_emotion")
            parts.append(self._tokenize(rows, f"Tokenising {task} train"))
        return concatenate_datasets(parts)

    def _tokenize(self, rows: Dataset, description: str) -> Dataset:
        """The rows, tokenised: in memory or, where they lie on disk, in a file beside them, to be found again."""
        made_from = {"rows": rows._fingerprint, "tokenizer": self.tokenizer_digest}
        made_from["max_length"] = self.args.data.max_length
        one_writes = self.args.training.main_process_first(desc=description) if rows.cache_files else nullcontext()
        with one_writes:
            return rows.map(
                lambda batch: self.tokenizer(batch["text"], truncation=True, max_length=self.args.data.max_length),
                batched=True,
                remove_columns=[name for name in rows.column_names if not name.startswith("labels_")],
                # What datasets makes of the function itself changes with each call of the tokenizer.
                new_fingerprint=digest(made_from),
                desc=description,
            )

    def _teacher_probabilities(self, stage: Stage, texts: list[str]) -> np.ndarray:
        key = {"teachers": [self.records[teacher].digest for teacher in stage.teachers], **self._input_key(texts)}
        if stage.temperature is not None:
            key["temperature"] = stage.temperature
        with self.args.training.main_process_first(desc="soft targets"):
            return teacher_probabilities(
                self._cached("soft_targets", key),
                [self.folder(teacher) for teacher in stage.teachers],
                self.tokenizer,
                texts,
                max_length=self.args.data.max_length,
                half_precision=bool(self.args.training.bf16_weights),
                temperature=stage.temperature,
                device=self.args.training.device,
            )

    def _cached(self, kind: str, key: dict[str, Any]) -> Path:
        """The file of what is cached under a key: that of an earlier run if it has one, else this run's."""
        name = f"{kind}/{digest(key)}.npy"
        runs = [self.output_dir, *map(Path, self.args.training.reuse_stages_from or ())]
        return next((run / name for run in runs if (run / name).exists()), self.output_dir / name)

    def _input_key(self, texts: list[str]) -> dict[str, Any]:
        """What the inputs of a model that reads these texts depend on."""
        return {
            "tokenizer": self.tokenizer_digest,
            "max_length": self.args.data.max_length,
            "texts": digest(texts),
        }

    def representations(self, encoder: MultitaskModel, stage: str, split: str, task: str = "emotion") -> np.ndarray:
        """A frozen encoder's representations of a split's texts, from the run's cache."""
        texts = self.tasks[task].splits[split]["text"][:]
        key = {"encoder": self.records[stage].digest, **self._input_key(texts)}
        with self.args.training.main_process_first(desc="encoding"):
            return cached_representations(
                self._cached("representations", key),
                encoder,
                self.tokenizer,
                texts,
                max_length=self.args.data.max_length,
                device=self.args.training.device,
                description=f"Encoding {task} {split} with {stage}",
            )
