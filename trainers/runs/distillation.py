"""From a trained model to a small one of a stock class, which runs everywhere without our code."""

import copy
import dataclasses
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from datasets import Dataset
from huggingface_hub import HfApi
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)

from model_cards import StageCard, plot_training_curves
from modeling_csr import MultitaskModel

from ..data.digests import digest, weights_digest, write_json
from ..data.task_dataset import load_task_dataset, load_texts
from ..distillation_trainer import DistillationTrainer
from ..evaluation.classifier_scores import evaluate_classifier
from ..evaluation.inference import predict_logits
from ..evaluation.metrics import score
from ..evaluation.thresholds import THRESHOLD_MODES
from ..hub.publisher import StagePublisher, collection_title
from ..hub.repositories import HubRepositories, check_metadata, check_repositories, full_repository_name
from ..hub.space import check_space_files, push_space, space_name
from ..loop.collators import SingleTaskCollator
from ..loop.encoders import fast_attention
from ..training_arguments import DECISIVE_ARGUMENTS, StageTrainingArguments
from .arguments import HubArguments
from .cards import (
    CAPTIONS,
    card_dataset,
    describe_examples,
    draw_decisions,
    label_examples,
    library_versions,
    notable_hyperparameters,
)
from .results import DEV_LOGITS_NAME
from .self_training import teacher_probabilities
from .tasks import sample_train

logger = logging.getLogger(__name__)
STAGE = "distilled"


@dataclass
class DistillationArguments:
    """The teacher, and the texts that it teaches on."""

    teacher: str = field(metadata={"help": "Folder or Hub id of the trained model, such as outputs/demo/csr."})
    dataset: str = field(
        default="csr-emotion-posts",
        metadata={"help": "The emotion data, as --emotion_dataset of run_csr.py; only dev's labels are used."},
    )
    data_dir: str | None = field(
        default=None, metadata={"help": "The folder that holds one folder a registered dataset."}
    )
    text_column: str | None = field(default=None, metadata={"help": "Text column of your own data (default: text)."})
    label_columns: list[str] | None = field(
        default=None, metadata={"help": "Label column(s) of your own data (default: label or labels)."}
    )
    unlabelled_dataset: str | None = field(
        default="csr-emotion-posts-sentiment",
        metadata={"help": "Further texts, such as the sentiment data; they need no labels."},
    )
    unlabelled_text_column: str | None = field(default=None, metadata={"help": "Text column of your own such texts."})
    max_unlabelled_samples: int = field(
        default=20_000, metadata={"help": "Use at most this many of them, drawn by --seed."}
    )
    max_length: int = field(default=128, metadata={"help": "Longer texts are cut to this number of tokens."})
    teacher_id: str | None = field(
        default=None, metadata={"help": "The teacher's id on the Hub, for the card, where --teacher is a folder."}
    )
    threshold: str = field(
        default="global", metadata={"help": "Decision thresholds, tuned on dev.", "choices": THRESHOLD_MODES}
    )
    baseline: str | None = field(
        default=None,
        metadata={"help": "Folder of a model trained on the labels alone, for comparison (emotion-encoder of a run)."},
    )


def student_of(teacher: PreTrainedModel) -> PreTrainedModel:
    """A stock classifier that starts from the teacher's emotion encoder.

    Args:
        teacher (`PreTrainedModel`): A classifier of one of the project's families.

    Raises:
        ValueError: If the teacher has no encoder of these families.
    """
    encoders = [module for module in teacher.modules() if isinstance(module, MultitaskModel)]
    if not encoders:
        raise ValueError(f"--teacher: a {type(teacher).__name__} is no model of csr-emotion's families.")
    config = copy.deepcopy(encoders[0].encoder.config)
    config.id2label, config.label2id = teacher.config.id2label, teacher.config.label2id
    config.problem_type = teacher.config.problem_type
    student = AutoModelForSequenceClassification.from_config(config)
    # Some have a pooler, which the encoder does not.
    missing = student.base_model.load_state_dict(encoders[0].encoder.state_dict(), strict=False)
    if missing.unexpected_keys:
        raise ValueError(
            f"--teacher: its encoder has weights that a stock classifier has not: {missing.unexpected_keys}"
        )
    return student


class Distillation:
    """Trains a student to give its teacher's probabilities, and publishes it.

    Args:
        args ([`DistillationArguments`]): Teacher and texts.
        training ([`StageTrainingArguments`]): How to train.
        hub ([`HubArguments`]): What to publish.

    Raises:
        ValueError, OSError: If something is wrong, before anything is trained.
    """

    def __init__(self, args: DistillationArguments, training: StageTrainingArguments, hub: HubArguments) -> None:
        self.args, self.training, self.hub = args, training, hub
        self.folder = Path(training.output_dir)
        self.teacher = AutoModelForSequenceClassification.from_pretrained(args.teacher)
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(args.teacher)
        self.data = load_task_dataset(
            args.dataset, data_dir=args.data_dir, text_column=args.text_column, label_columns=args.label_columns
        )
        labels = list(self.teacher.config.label2id)
        if self.data.labels != labels:
            there = ", ".join(self.data.labels)
            raise ValueError(f"--dataset {args.dataset} has the labels {there}, the teacher {', '.join(labels)}.")
        self.unlabelled = None
        if args.unlabelled_dataset:
            self.unlabelled = load_texts(
                args.unlabelled_dataset, data_dir=args.data_dir, text_column=args.unlabelled_text_column
            )
        self.task = {"labels": labels, "problem_type": self.data.problem_type}
        self.student = student_of(self.teacher)
        if hub.push_space and not training.push_to_hub:
            raise ValueError("--push_space shows a model on the Hub: give --push_to_hub with it.")
        if hub.push_space:
            check_space_files()
        self.publisher = self._publisher() if training.push_to_hub else None

    def run(self) -> dict[str, Any]:
        """Train, score, write the student's folder, and publish it.

        Returns:
            `dict`: What `eval_results.json` holds, the `teacher`'s metrics and, with a baseline, its metrics.
        """
        started = time.monotonic()
        set_seed(self.training.seed)
        trainer = DistillationTrainer(
            model=self.student,
            args=dataclasses.replace(self.training, push_to_hub=False),
            train_dataset=self._train_dataset(),
            eval_dataset=self._tokenize(list(self.data.splits["dev"]["text"]), self.data.splits["dev"]["labels"]),
            data_collator=SingleTaskCollator(self.tokenizer, {"emotion": self.task}),
            processing_class=self.tokenizer,
        )
        attention = fast_attention(trainer.args.device)
        if attention is not None:
            self.student.set_attn_implementation(attention)
        trainer.train()
        trainer.use_single_precision()
        results, logits = evaluate_classifier(trainer, "emotion", self.task, self.args.threshold)
        results["teacher"] = self._score(self.teacher)
        if self.args.baseline:
            results["baseline"] = self._score(AutoModelForSequenceClassification.from_pretrained(self.args.baseline))
        results["seconds"] = round(time.monotonic() - started, 1)
        if PartialState().is_main_process:
            self._write(trainer, results, logits["emotion"])
            if self.publisher:
                self._publish(self.publisher)
        PartialState().wait_for_everyone()
        return results

    # -- before training ---------------------------------------------------------------------------------------------

    def _publisher(self) -> StagePublisher:
        api = HfApi(token=self.training.hub_token)
        name = full_repository_name(api, self.training.hub_model_id or self.folder.resolve().name)
        repositories = HubRepositories(name, (STAGE,))
        check_repositories(api, repositories)
        check_metadata({STAGE: self._card({}, name).metadata()})
        options = {"private": self.training.hub_private_repo, "revision": self.training.hub_revision}
        return StagePublisher(api, repositories, **options, patience=self.hub.hub_patience)

    def _publish(self, publisher: StagePublisher) -> None:
        model = publisher.repositories.name
        publisher.publish(STAGE, self.folder, f"Distilled from {Path(self.args.teacher).name}")
        teacher = self._teacher_id
        if teacher and teacher.split("/")[0] == publisher.repositories.namespace:
            title = collection_title(teacher)
            publisher.collect(title, f"What was distilled from {teacher}.", {STAGE: f"Distilled from {teacher}"})
        if self.hub.push_space:
            space = space_name(model)
            options = {"compare": self._teacher_id, "private": publisher.private}
            publisher.patiently(lambda: push_space(publisher.api, space, model, **options), space)

    @property
    def _teacher_id(self) -> str | None:
        return self.args.teacher_id or (None if Path(self.args.teacher).exists() else self.args.teacher)

    # -- texts and targets -------------------------------------------------------------------------------------------

    def _train_dataset(self) -> Dataset:
        """All training texts with what the teacher says of them."""
        texts = list(self.data.splits["train"]["text"])
        if self.unlabelled:
            texts += sample_train(self.unlabelled, self.args.max_unlabelled_samples, self.training.seed)["text"][:]
        key = {"teacher": weights_digest(self.teacher), "texts": digest(texts), "max_length": self.args.max_length}
        with self.training.main_process_first(desc="soft targets"):
            targets = teacher_probabilities(
                self.folder / "soft_targets" / f"{digest(key)}.npy",
                [self.args.teacher],
                self.tokenizer,
                texts,
                max_length=self.args.max_length,
                half_precision=bool(self.training.bf16_weights),
                device=self.training.device,
            )
        return self._tokenize(texts, targets)

    def _tokenize(self, texts: list[str], targets: Any) -> Dataset:
        rows = Dataset.from_dict({"text": texts, "labels_emotion": targets})
        return rows.map(
            lambda batch: self.tokenizer(batch["text"], truncation=True, max_length=self.args.max_length),
            batched=True,
            remove_columns=["text"],
            desc="Tokenising",
        )

    # -- what is written ---------------------------------------------------------------------------------------------

    def _score(self, model: PreTrainedModel) -> dict[str, float]:
        """Scores of another model on dev, at its own thresholds."""
        texts, labels = (self.data.splits["dev"][column] for column in ("text", "labels"))
        logits = predict_logits(
            model, self.tokenizer, list(texts), max_length=self.args.max_length, device=self.training.device
        )
        return score(logits, np.asarray(labels), self.data.problem_type, getattr(model.config, "thresholds", None))

    def _write(self, trainer: DistillationTrainer, results: dict[str, Any], logits: np.ndarray) -> None:
        trainer.save_model(str(self.folder))
        np.save(self.folder / DEV_LOGITS_NAME, logits)
        results["examples"] = describe_examples(self.student, self.tokenizer, self.args.max_length)
        write_json(self.folder / "eval_results.json", results)
        write_json(self.folder / "training_log.json", trainer.state.log_history)
        plot_training_curves(trainer.state.log_history, self.folder / "training_curves.png")
        draw_decisions(logits, self.data.targets("dev"), self.task, results, self.folder / "decisions.png")
        name = self.publisher.repositories.name if self.publisher else self.folder.name
        self._card(results, name).save(self.folder)

    def _card(self, results: dict[str, Any], title: str) -> StageCard:
        return StageCard(
            title=title,
            kind="distilled",
            stage=STAGE,
            starts_from={},
            base_models=[self._teacher_id] if self._teacher_id else [],
            encoder=type(self.student).__name__,
            labels=list(results.get("per_label", {})),
            datasets=[card_dataset(data) for data in (self.data, self.unlabelled) if data],
            results=results,
            hyperparameters=notable_hyperparameters(
                {
                    name: getattr(self.training, name)
                    for name in (*DECISIVE_ARGUMENTS, "per_device_train_batch_size", "gradient_accumulation_steps")
                }
            ),
            versions=library_versions(),
            figures={name: text for name, text in CAPTIONS.items() if (self.folder / name).exists()},
            problem_type=self.data.problem_type,
            examples=label_examples(self.data, self.hub.card_examples),
            baseline=results.get("baseline", {}),
        )
