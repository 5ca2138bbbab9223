"""What a finished stage is worth: scores on dev, thresholds, and how much each half of the input counts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from transformers import EvalPrediction

from modeling_csr import CSRForSequenceClassification
from modeling_csr.losses import present_labels

from ..loop.representations import RepresentationDataset
from ..trainer import StageTrainer
from .metrics import score
from .task_report import task_report


def evaluate_classifier(
    trainer: StageTrainer,
    task: str,
    task_config: dict[str, Any],
    threshold: str,
    other_tasks: dict[str, dict[str, Any]] | None = None,
    rows: Mapping[str, np.ndarray] | None = None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Scores of a trained classifier on its dev split, after choosing its thresholds there.

    Args:
        trainer ([`StageTrainer`]): The stage's Trainer.
        task (`str`): The task to score.
        task_config (`dict`): Its `labels` and `problem_type`.
        threshold (`str`): `"fixed"` (0.5), `"global"` or `"per_label"`. The model's config takes the tuned ones up.
        other_tasks (`dict[str, dict]`, *optional*): By name, further tasks of a multi-task model.
        rows (`Mapping[str, np.ndarray]`, *optional*): By task, where the texts of its data stand in the dev split of
            several tasks; by default the texts of a task are those that have labels of it.

    Returns:
        `tuple`: A `dict` of the `task`, its `metrics` at the chosen thresholds, `metrics_at_0.5` where those were
        tuned, `per_label` scores, `thresholds`, for a common space with sources `shuffled`, and `tasks`, which has the
        same for each of the other tasks; and by task the logits of its dev texts, of shape `(texts, num_labels)`.
    """
    prediction = trainer.predict(trainer.eval_dataset, metric_key_prefix="eval")
    rows = rows or {}
    arrays = {name: _task_arrays(prediction, name, rows.get(name)) for name in (task, *(other_tasks or {}))}
    config = trainer.model.config
    scored, thresholds = task_report(*arrays[task], task_config, threshold)
    if thresholds is not None:
        config.thresholds = thresholds
    results: dict[str, Any] = {"task": task, **scored}
    if isinstance(trainer.model, CSRForSequenceClassification) and trainer.model.csr.source_encoders:
        results["shuffled"] = _shuffled_scores(trainer, task, task_config["problem_type"], thresholds)
    for name, other_config in (other_tasks or {}).items():
        scored, thresholds = task_report(*arrays[name], other_config, threshold)
        if thresholds is not None:
            config.tasks[name]["thresholds"] = thresholds
        results.setdefault("tasks", {})[name] = scored
    return results, {name: logits for name, (logits, _) in arrays.items()}


def _task_arrays(
    prediction: EvalPrediction, task: str, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels of some rows; by default of those that have labels of the task, all of them or some scores."""
    logits, labels = prediction.predictions, prediction.label_ids
    if isinstance(labels, dict):
        logits, labels = logits[task], labels[task]
    if rows is None:
        rows = present_labels(torch.from_numpy(labels)).reshape(len(labels), -1).any(dim=1).numpy()
    return logits[rows], labels[rows]


def _shuffled_scores(
    trainer: StageTrainer, task: str, problem_type: str, thresholds: list[float] | None
) -> dict[str, dict[str, float]]:
    """Scores when the emotion half, or the source half, of each input belongs to another text.

    A common space that merely copies P_E loses nothing when the source half is shuffled.
    """
    if isinstance(trainer.eval_dataset, RepresentationDataset):
        shuffled = {
            part: _task_arrays(
                trainer.predict(trainer.eval_dataset.shuffled(part, trainer.args.seed), metric_key_prefix="shuffled"),
                task,
            )
            for part in ("emotion", "sources")
        }
    else:
        shuffled = _logits_of_shuffled_texts(trainer)
    return {part: score(logits, labels, problem_type, thresholds) for part, (logits, labels) in shuffled.items()}


@torch.inference_mode()
def _logits_of_shuffled_texts(trainer: StageTrainer) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Logits and labels where one half of each input is that of another text in its batch, cut to its length."""
    model = trainer.model.eval()
    generator = torch.Generator().manual_seed(trainer.args.seed)
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"emotion": [], "sources": []}
    for batch in trainer.get_eval_dataloader():
        mask, labels = batch["attention_mask"], batch["labels"]
        emotion, sources = model.csr.encode(batch["input_ids"], mask, batch.get("token_type_ids"))
        if emotion.dim() == 3:
            # Beyond the end of a text stands nothing, not the encoder's image of padding.
            emotion, sources = emotion * mask.unsqueeze(-1), tuple(source * mask.unsqueeze(-1) for source in sources)
        order = torch.randperm(len(mask), generator=generator).to(mask.device)
        halves = {
            "emotion": (emotion[order], sources),
            "sources": (emotion, tuple(source[order] for source in sources)),
        }
        for part, (first, rest) in halves.items():
            logits = model(attention_mask=mask, emotion_representation=first, source_representations=rest).logits
            gathered = trainer.accelerator.gather_for_metrics((logits.float(), labels))
            found[part].append(tuple(tensor.cpu().numpy() for tensor in gathered))
    return {part: tuple(np.concatenate(arrays) for arrays in zip(*rows, strict=True)) for part, rows in found.items()}
