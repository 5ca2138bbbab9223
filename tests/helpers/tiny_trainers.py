"""Tiny texts, models and Trainers for the tests of this folder, the same in every process that builds them.

As a script it trains, for torchrun: `tiny.py OUTPUT_DIR KIND:BATCH_SIZE:ACCUMULATION_STEPS[:VARIANT] ...`, with a
variant of `bf16`, `lora`, `resumed` or `odd`. For each run it writes the weights into OUTPUT_DIR/KIND (or
OUTPUT_DIR/KIND-VARIANT), and what was logged and measured into log.json there. One of `lora` trains adapters. A resumed
one is ended at its first checkpoint and goes on from there.
"""

import contextlib
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from datasets import Dataset, DatasetDict, Features, List, Value
from torch import nn
from transformers import BertConfig, BertTokenizer, DataCollatorWithPadding, TrainerCallback, default_data_collator

from modeling_csr import (
    CSRForSequenceClassification,
    DialogueForUtteranceClassification,
    MultitaskConfig,
    MultitaskForSequenceClassification,
    MultitaskModel,
    SiameseModel,
)
from trainers.commands.parser import parse_run_arguments
from trainers.csr_trainer import FROZEN_MODULES, CSRTrainer, RepresentationDataset, collate_representations
from trainers.data.task_dataset import TaskDataset
from trainers.data.tokenization import load_tokenizer
from trainers.dialogue_trainer import DialogueDataset, DialogueTrainer, collate_dialogues
from trainers.evaluation.task_metrics import TaskMetrics
from trainers.loop.collators import TaskCollator
from trainers.multitask_trainer import MultitaskTrainer
from trainers.recipes import find_recipe
from trainers.runs.prepared_run import PreparedRun
from trainers.runs.records import StageRecord
from trainers.siamese_trainer import PairDataset, SiameseTrainer, sample_pairs
from trainers.trainer import StageTrainer
from trainers.training_arguments import StageTrainingArguments

KINDS = ("one-task", "two-tasks", "siamese", "csr", "dialogue")
WORDS = re.findall(r"\w+", "a bad calm day fear good happy i joy my of rain sad so sun the this very what will")
EMOTION = {"labels": ["anger", "fear", "joy"], "problem_type": "multi_label_classification"}
SENTIMENT = {"labels": ["bad", "so-so", "good"], "problem_type": "single_label_classification", "loss_weight": 0.5}
INTENSITY = {"labels": ["anger", "joy"], "problem_type": "regression"}
# By kind of Trainer, the tasks of its model; of three, the weights are learnt.
TASKS = {
    "one-task": {"emotion": EMOTION},
    "two-tasks": {"emotion": EMOTION, "sentiment": SENTIMENT},
    "three-tasks": {"emotion": EMOTION, "sentiment": SENTIMENT, "intensity": INTENSITY},
}
HIDDEN_SIZE = 16
FEATURES = Features({"text": Value("string"), "labels": List(Value("float32"))})
RECONSTRUCTION_WEIGHT = 0.7


def tokenizer() -> BertTokenizer:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return BertTokenizer(vocab={token: index for index, token in enumerate([*special, *WORDS])})


def texts(size: int) -> list[str]:
    """Texts of different lengths, in no order."""
    rng = np.random.default_rng(size)
    return [" ".join(rng.choice(WORDS, size=rng.integers(1, 12))) for _ in range(size)]


def emotions(size: int) -> np.ndarray:
    return (np.random.default_rng(1).random((size, 3)) < 0.4).astype(np.float32)


def middle(logits: np.ndarray) -> torch.Tensor:
    """By label, what half of the texts lie above. None lies at it, where the last bit of a sum would decide."""
    half = len(logits) // 2
    return torch.from_numpy(np.sort(logits, axis=0)[half - 1 : half + 1].mean(axis=0))


def spread_out(model: nn.Module) -> None:
    """Larger weights than the usual initial ones, which leave losses and gradients close to nothing."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)


def config(tasks: dict[str, dict] | None = None, **options: Any) -> MultitaskConfig:
    """Without dropout."""
    encoder = BertConfig(
        vocab_size=len(tokenizer()),
        hidden_size=HIDDEN_SIZE,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return MultitaskConfig(encoder=encoder, tasks=tasks, **{"classifier_dropout": 0.0, **options})


def encoder(seed: int) -> MultitaskModel:
    torch.manual_seed(seed)
    model = MultitaskModel(config())
    spread_out(model)
    return model.eval()


def siamese_model() -> SiameseModel:
    model = SiameseModel.from_encoder(encoder(1))
    spread_out(model.siamese)
    model.emotion_encoder.requires_grad_(False)
    return model


def csr_model(**options: Any) -> CSRForSequenceClassification:
    options = {"reconstruction_loss_weight": RECONSTRUCTION_WEIGHT, "classifier_dropout": 0.0, **options}
    labels = EMOTION["labels"]
    model = CSRForSequenceClassification.from_encoders(
        encoder(1),
        [encoder(2)],
        siamese_model(),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        **options,
    )
    for part in (model.csr.common_encoder, model.csr.decoder, model.classifier):
        spread_out(part)
    for name in FROZEN_MODULES["common_space"]:
        model.get_submodule(name).requires_grad_(False)
    return model


def dialogue_model(**options: Any) -> DialogueForUtteranceClassification:
    labels = SENTIMENT["labels"]
    model = DialogueForUtteranceClassification.from_encoder(
        encoder(1),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        **{"dialogue_size": 8, "utterance_dropout": 0.0, "classifier_dropout": 0.0, **options},
    )
    for name, part in model.named_modules():
        if name.startswith(("classifier", "dialogue.")) and not name.startswith("dialogue.utterance_encoder"):
            spread_out(part)
    model.dialogue.utterance_encoder.requires_grad_(False)
    return model


def dialogues(size: int) -> DialogueDataset:
    """Dialogues of one to four utterances between two or three speakers, their rows in no order."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 5, size=size)
    rows = rng.permutation(lengths.sum())
    return DialogueDataset(
        representations(encoder(1), len(rows)),
        [str(number) for number in rng.integers(3, size=len(rows))],
        rng.integers(3, size=len(rows)),
        np.split(rows, lengths.cumsum()[:-1]),
    )


def token_rows(size: int, tasks: list[str]) -> list[dict[str, Any]]:
    """Tokenised texts; with two tasks, two of three have emotion labels and the third has sentiment labels. Beside
    either, three of four have an intensity, one of these has both."""
    labels, rng = emotions(size).tolist(), np.random.default_rng(2)
    rows = []
    for index, text in enumerate(texts(size)):
        row = dict(tokenizer()(text))
        if "sentiment" in tasks and index % 3 == 2:
            row["labels_sentiment"] = int(rng.integers(3))
        else:
            row["labels_emotion"] = labels[index]
        if "intensity" in tasks and index % 4:
            anger, joy = rng.random(2).tolist()
            row["labels_intensity"] = [anger if index % 4 > 1 else float("nan"), joy if index % 4 < 3 else float("nan")]
        rows.append(row)
    return rows


def representations(model: MultitaskModel, size: int) -> np.ndarray:
    with torch.no_grad():
        return model(**tokenizer()(texts(size), padding=True, return_tensors="pt")).representation.numpy()


def arguments(output_dir: str | Path, **options: Any) -> StageTrainingArguments:
    """Two epochs of gradient descent in single precision: unlike Adam's, its steps show the size of the gradients."""
    defaults = {
        "num_train_epochs": 2,
        "optim": "sgd",
        "learning_rate": 0.05,
        "weight_decay": 0.0,
        "warmup_steps": 0,
        "max_grad_norm": 1e6,
        "logging_steps": 1,
        "eval_strategy": "no",
        "save_strategy": "no",
        "bf16_weights": False,
        "train_sampling_strategy": "random",
        "use_cpu": True,
        "dataloader_pin_memory": False,
        **{"disable_tqdm": True, "draw_figures": False},
    }
    return StageTrainingArguments(output_dir=str(output_dir), **defaults | options)


class EndAtSave(TrainerCallback):
    """Ends a training after its first checkpoint, as a kill would."""

    def on_save(self, *args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt


def trainer(
    kind: str,
    output_dir: str | Path,
    size: int = 21,
    callbacks: Sequence[TrainerCallback] = (),
    peft_config: Any = None,
    **options: Any,
) -> StageTrainer:
    """A Trainer of one kind on `size` rows, which are its dev rows, too.

    Args:
        kind (`str`): One of `KINDS`, or `"csr-tokens"`: the same as `"csr"`, from tokens.
        callbacks (`Sequence[TrainerCallback]`): Its callbacks.
        peft_config (*optional*): Options of LoRA adapters.
        options: Fields of the training arguments.
    """
    args = arguments(output_dir, **options)
    collator: Any
    if kind in TASKS:
        tasks = TASKS[kind]
        weighting = "uncertainty" if kind == "three-tasks" else "fixed"
        torch.manual_seed(3)
        model: Any = MultitaskForSequenceClassification(
            config(tasks, shared_layer_sizes=[12], task_weighting=weighting)
        )
        spread_out(model)
        dataset: Any = token_rows(size, list(tasks))
        collator, metrics, cls = TaskCollator(tokenizer(), tasks), TaskMetrics(tasks), MultitaskTrainer
    elif kind == "siamese":
        model = siamese_model()
        pairs = sample_pairs(emotions(size), size, "random", "jaccard")
        dataset = PairDataset(representations(model.emotion_encoder, size), *pairs)
        collator, metrics, cls = default_data_collator, None, SiameseTrainer
    elif kind == "dialogue":
        model, dataset = dialogue_model(), dialogues(size)
        collator, metrics, cls = collate_dialogues, TaskMetrics({"emotion": SENTIMENT}), DialogueTrainer
    else:
        model, labels = csr_model(), emotions(size)
        if kind == "csr-tokens":
            dataset = [
                {**tokenizer()(text), "labels": row} for text, row in zip(texts(size), labels.tolist(), strict=True)
            ]
            collator = DataCollatorWithPadding(tokenizer())
        else:
            halves = (model.csr.emotion_encoder, model.csr.source_encoders[0])
            emotion, source = (representations(half, size) for half in halves)
            dataset, collator = RepresentationDataset(emotion, [source], labels), collate_representations
        metrics, cls = TaskMetrics({"emotion": EMOTION}), CSRTrainer
    return cls(
        model=model,
        args=args,
        train_dataset=dataset,
        eval_dataset=dataset,
        data_collator=collator,
        compute_metrics=metrics,
        callbacks=list(callbacks),
        peft_config=peft_config,
    )


def prepared_run(folder: Path, *options: str) -> PreparedRun:
    """A run's folder with finished encoders and a finished Siamese network in it; `options` as on a command line."""
    argv = ["--output_dir", str(folder), "--use_cpu", "True", "--bf16_weights", "False", "--disable_tqdm", "True"]
    argv += ["--draw_figures", "False", "--eval_strategy", "no", "--save_strategy", "no", *options]
    args = parse_run_arguments(argv)
    tokenizer().save_pretrained(folder / "tokenizer")
    tasks = {}
    for seed, (task, task_config) in enumerate({"emotion": EMOTION, "sentiment": SENTIMENT}.items(), start=1):
        torch.manual_seed(seed)
        model = MultitaskForSequenceClassification(config({task: task_config}))
        spread_out(model)
        model.save_pretrained(folder / f"{task}-encoder")
        rows = {"train": {"text": texts(12), "labels": emotions(12)}, "dev": {"text": texts(7), "labels": emotions(7)}}
        splits = DatasetDict({split: Dataset.from_dict(columns, features=FEATURES) for split, columns in rows.items()})
        tasks[task] = TaskDataset("tiny", task_config["labels"], task_config["problem_type"], splits, None)
    siamese_model().save_pretrained(folder / "siamese")
    records = {name: StageRecord(name, {"name": name}) for name in ("emotion-encoder", "sentiment-encoder", "siamese")}
    recipe = find_recipe("model-3.3")
    return PreparedRun(args, (recipe,), recipe.stages, tasks, load_tokenizer(str(folder / "tokenizer")), records)


def logged_steps(trainer: StageTrainer) -> list[dict[str, float]]:
    """What was logged of the losses and gradients, step by step."""
    return [
        {name: value for name, value in entry.items() if name.endswith("loss") or name == "grad_norm"}
        for entry in trainer.state.log_history
        if "loss" in entry
    ]


def trained_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}


def main(output_dir: str, *runs: str) -> None:
    for kind, batch_size, accumulation_steps, *variant in (run.split(":") for run in runs):
        folder, resumed = Path(output_dir) / "-".join([kind, *variant]), "resumed" in variant
        options: dict[str, Any] = {
            "per_device_train_batch_size": int(batch_size),
            "gradient_accumulation_steps": int(accumulation_steps),
            "per_device_eval_batch_size": 3,
            "bf16_weights": "bf16" in variant,
            "peft_config": {"r": 3, "lora_alpha": 6} if "lora" in variant else None,
        }
        if resumed:
            options |= {"logging_steps": 3, "save_strategy": "steps", "save_steps": 2}
            with contextlib.suppress(KeyboardInterrupt):
                trainer(kind, folder, size=16, callbacks=[EndAtSave()], **options).train()
        # A number of rows that leaves the last process none of its own for the last batch.
        run = trainer(kind, folder, size=11 if "odd" in variant else 16, **options)
        run.train(resume_from_checkpoint=resumed or None)
        run.use_single_precision()
        run.save_model()
        # Other dev rows than training rows, and no round number of them.
        run.eval_dataset = trainer(kind, folder, size=19).eval_dataset
        results, _ = run.report("per_label")
        # Of two and of three processes with batches of 3, the last ones have none, one, some or all rows of the last.
        dev = {size: trainer(kind, folder, size=size).eval_dataset for size in (10, 14, 18, 19)}
        dev_losses = {size: run.evaluate(rows)["eval_loss"] for size, rows in dev.items()}
        if run.is_world_process_zero():
            log = {"processes": run.accelerator.num_processes, "steps": logged_steps(run), "results": results}
            log["dev_losses"] = dev_losses
            (folder / "log.json").write_text(json.dumps(log))


if __name__ == "__main__":
    main(*sys.argv[1:])
    # Now and then a thread of gloo outlives the interpreter and aborts the process, in programs of torch alone as well
    # (pytorch/pytorch#179291). It has nothing left to do.
    PartialState().wait_for_everyone()
    sys.stdout.flush()
    os._exit(0)
