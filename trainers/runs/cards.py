"""From a finished stage to its card and the figures in it."""

import dataclasses
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainingArguments

from model_cards import StageCard, plot_decisions, plot_scores, plot_space, plot_stages, plot_training_curves
from model_cards.card import EXAMPLE_TEXTS, CardDataset
from modeling_csr import DialogueForUtteranceClassification

from ..data.digests import StageRecord
from ..data.registered_files import BUNDLED_DATA
from ..data.sources import ColumnValues
from ..data.task_dataset import TaskDataset, load_task_dataset
from ..evaluation.inference import embed_texts, predict_logits, probabilities
from ..evaluation.metrics import decide
from ..loop.encoders import BUNDLED_ENCODER, described_encoder, encoder_label
from ..recipes.library import Stage, learnt_tasks, lineage, stages_of
from ..training_arguments import StageTrainingArguments
from .context import StageContext
from .dialogue_attention import draw_attention
from .results import chosen_thresholds

LIBRARIES = ("transformers", "torch", "datasets", "tokenizers", "huggingface_hub")
CAPTIONS = {
    "stages.png": "The stages that the model comes from",
    "decisions.png": "Of the dev texts annotated with a label, the share that was given each label",
    "attention.png": "How much the model reads of the other utterances of a dev dialogue, for each utterance",
    "scores.png": "Predicted and annotated scores of the dev texts",
    "space.png": "The dev texts in the model's space",
    "training_curves.png": "Losses over the epochs",
}
BASELINE = "emotion-encoder"
ALWAYS_NAMED = ("learning_rate", "num_train_epochs", "global_batch_size", "seed")
# More points would not show more.
MAX_POINTS = 2000


def library_versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}


def describe_examples(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[dict[str, Any]]:
    """What a classifier says of the card's example texts, as the Hub's widget shows stored outputs."""
    logits = predict_logits(model, tokenizer, EXAMPLE_TEXTS, max_length=max_length, device=model.device)
    scores = torch.from_numpy(probabilities(logits, model.config.problem_type))
    names = dict(model.config.id2label or {})
    return [
        {
            "text": text,
            "output": [
                {"label": names[index], "score": round(row[index].item(), 4)}
                for index in row.argsort(descending=True).tolist()
            ],
        }
        for text, row in zip(EXAMPLE_TEXTS, scores, strict=True)
    ]


def draw_decisions(
    logits: np.ndarray, labels: np.ndarray, task: dict[str, Any], results: dict[str, Any], path: Path
) -> None:
    """Draw which labels a classifier gives the dev texts, at its thresholds.

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): Its unnormalised scores.
        labels (`np.ndarray`): Multi-hot `(texts, num_labels)` or class ids `(texts,)`.
        task (`dict`): The task's `labels` and `problem_type`.
        results (`dict`): What `eval_results.json` holds; its `thresholds`, where they were tuned.
        path (`Path`): The image file to write.
    """
    names = task["labels"]
    decisions = decide(logits, task["problem_type"], chosen_thresholds(results))
    plot_decisions(_multi_hot(decisions, len(names)), _multi_hot(labels, len(names)), names, path)


def _multi_hot(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Class ids `(texts,)` as multi-hot labels `(texts, num_labels)`; those that are so already as they are."""
    return labels if labels.ndim == 2 else np.eye(num_labels)[labels]


def draw_figures(
    stage: Stage,
    context: StageContext,
    model: PreTrainedModel,
    results: dict[str, Any],
    logits: np.ndarray | None,
    folder: Path,
) -> None:
    """Draw what a stage's card shows into its folder."""
    log = json.loads((folder / "training_log.json").read_text(encoding="utf-8"))
    plot_training_curves(log, folder / "training_curves.png")
    encoders = {name: encoder_label(encoder) for name, encoder in pretrained_encoders(stage, context).items()}
    made_of: dict[str, list[str]] = {encoder: [] for encoder in encoders.values()}
    for one in lineage(stage):
        made_of[one.name] = [*one.parents, encoders[one.name]] if one.name in encoders else one.parents
    plot_stages(made_of, stage.name, folder / "stages.png")
    task = stage.tasks[0]
    config, labels = context.task_config(task), context.labels("dev", task)
    if config["problem_type"] == "regression":
        if logits is not None:
            plot_scores(logits, labels, config["labels"], folder / "scores.png")
        return
    if logits is not None:
        draw_decisions(logits, labels, config, results, folder / "decisions.png")
    if isinstance(model, DialogueForUtteranceClassification):
        info = context.tasks[task].info
        publish = context.args.hub.card_examples or bool(info and info.bundled)
        draw_attention(stage.starts_from["utterance_encoder"], context, model, publish, folder / "attention.png")
        return
    texts = context.tasks[task].splits["dev"]["text"][:MAX_POINTS]
    if len(texts) > 2:
        vectors = embed_texts(
            model, context.tokenizer, texts, max_length=context.args.data.max_length, device=model.device
        )
        targets = _multi_hot(labels[:MAX_POINTS], len(config["labels"]))
        plot_space(vectors, targets, config["labels"], folder / "space.png")


def pretrained_encoders(stage: Stage, context: StageContext) -> dict[str, str]:
    """By name of those among a stage and all before it that start from a pretrained encoder: that encoder."""
    return {one.name: context.args.model.pretrained(one.tasks[0])[0] for one in lineage(stage) if one.starts_anew}


def stage_card(stage: Stage, context: StageContext, results: dict[str, Any]) -> StageCard:
    """The card of a stage.

    Args:
        stage ([`Stage`]): The stage.
        context ([`StageContext`]): Its run.
        results (`dict`): What `eval_results.json` holds; without the training's end only its `metrics`, or nothing.
    """
    made_from = context.records[stage.name].made_from
    options = made_from["training"] | made_from.get("siamese", {}) | made_from.get("common", {})
    options |= made_from.get("model", {}) | {
        name: made_from[name] for name in ("class_weights", "label_loss", "threshold") if name in made_from
    }
    encoders, repositories = list(dict.fromkeys(pretrained_encoders(stage, context).values())), context.repositories
    pretrained = [encoder for encoder in encoders if not Path(encoder).exists() and encoder != BUNDLED_ENCODER]
    published = [repositories[parent] for parent in dict.fromkeys(stage.starts_from.values())] if repositories else []
    folder = context.folder(stage.name)
    return StageCard(
        title=repositories[stage.name] if repositories else stage.name,
        kind=stage.kind,
        stage=stage.name,
        starts_from=stage.starts_from,
        base_models=published or pretrained,
        encoder=" and ".join(map(described_encoder, encoders)),
        labels=list(context.tasks[stage.tasks[0]].labels) if stage.classifies else [],
        datasets=[card_dataset(context.tasks[task]) for task in learnt_tasks(stage)],
        results=results,
        hyperparameters=notable_hyperparameters(options),
        versions=library_versions(),
        figures={name: caption for name, caption in CAPTIONS.items() if (folder / name).exists()},
        joint=stage.joint,
        teachers=list(stage.teachers),
        problem_type=context.tasks[stage.tasks[0]].problem_type,
        examples=label_examples(context.tasks[stage.tasks[0]], context.args.hub.card_examples),
        **_baseline(stage, context),
        other_seeds=[_metrics_of(Path(run) / stage.name) for run in context.args.hub.other_seeds or ()],
    )


def notable_hyperparameters(options: dict[str, Any]) -> dict[str, Any]:
    """Of a stage's options, those that differ from the defaults of transformers, and what every card says."""
    stock = {item.name: item.default for item in dataclasses.fields(TrainingArguments)}
    defaults = {item.name: item.default for item in dataclasses.fields(StageTrainingArguments)} | stock
    return {
        name: value
        for name, value in sorted(options.items())
        if value is not None and (name in ALWAYS_NAMED or value != defaults.get(name))
    }


def write_card(stage: Stage, context: StageContext) -> None:
    """Write a finished stage's `README.md` from what its folder holds."""
    folder = context.folder(stage.name)
    results = json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))
    stage_card(stage, context, results).save(folder)


def _baseline(stage: Stage, context: StageContext) -> dict[str, Any]:
    """What the card shows beside the stage's own scores."""
    other = context.args.hub.compare_with
    if other is not None and stage.name == stages_of(context.args.model.recipe)[-1].name:
        return {"baseline": _metrics_of(Path(other)), "baseline_name": "default settings"}
    if stage.name != BASELINE and "emotion" in stage.tasks:
        return {"baseline": _metrics_of(context.folder(BASELINE))}
    return {}


def _metrics_of(folder: Path) -> dict[str, float]:
    """Those of a finished stage in another folder; none where there is none."""
    record = StageRecord.read(folder)
    if record is None or not record.complete:
        return {}
    return json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))["metrics"]


def label_examples(dataset: TaskDataset, publish: bool) -> dict[str, str]:
    """By label, the shortest text that has it alone.

    Args:
        dataset ([`TaskDataset`]): The data.
        publish (`bool`): Whether its own texts may be shown. Bundled ones stand for the labels that they have without.
    """
    if not (publish or (dataset.info and dataset.info.bundled)):
        # Other people's texts may not be ours to publish.
        if not BUNDLED_DATA.exists():
            return {}
        bundled = (load_task_dataset(name) for name in ("csr-emotion-posts", "csr-emotion-posts-sentiment"))
        known = {label: text for data in bundled for label, text in label_examples(data, True).items()}
        return {label: known[label] for label in dataset.labels if label in known}
    found: dict[str, str] = {}
    rows = dataset.splits["train"]
    if dataset.problem_type == "regression":
        return found
    single = dataset.problem_type == "single_label_classification"
    for text, target in zip(ColumnValues(rows, "text"), ColumnValues(rows, "labels"), strict=True):
        present = [target] if single else [index for index, value in enumerate(target) if value]
        if len(present) == 1:
            label = dataset.labels[present[0]]
            found[label] = min(found.get(label, text), text, key=len)
    return {label: found[label] for label in dataset.labels if label in found}


def card_dataset(dataset: TaskDataset) -> CardDataset:
    """A dataset as a card names it."""
    info = dataset.info
    return CardDataset(
        # A dataset of one's own is named by its path: only the last part is for others to read.
        name=info.name if info else Path(dataset.name).name,
        hub_id=info.hub_id if info else _hub_id(dataset.name),
        license=info.license if info else "not stated",
        citation=info.citation if info else "",
        sizes={split: len(rows) for split, rows in dataset.splits.items()},
        notes=list(dataset.notes),
    )


def _hub_id(name: str) -> str | None:
    """The id in the name of a dataset from the Hub, `org/name[:config]`; those of folders and files have no slash."""
    return name.partition(":")[0] if "/" in name else None
