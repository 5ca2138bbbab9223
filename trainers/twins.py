"""One model for several tasks beside its twins, which are one model of the same kind a task: scores, size and time."""

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from model_cards.figures import plot_comparison

from .comparison import mean_and_spread
from .inference import predict_logits
from .metrics import HEADLINE
from .records import write_json

# By task, the recipe of the model that has learnt it alone.
TWINS = {
    "emotion": "bert",
    "intensity": "single-intensity",
    "valence": "single-valence",
    "sentiment": "single-sentiment",
}


def task_metrics(folder: Path, task: str) -> dict[str, float]:
    """The dev scores of a finished stage in one of its tasks."""
    results = json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))
    return results["metrics"] if results["task"] == task else results["tasks"][task]["metrics"]


def stage_scores(folders: Sequence[Path], problem_types: Mapping[str, str]) -> dict[str, list[float]]:
    """By task and headline metric, such as `intensity pearson`, the dev score of each of some finished stages."""
    return {
        f"{task} {metric.replace('_', ' ')}": [round(task_metrics(folder, task)[metric], 4) for folder in folders]
        for task, problem_type in problem_types.items()
        for metric in HEADLINE[problem_type]
    }


def count_parameters(folder: Path) -> int:
    """The parameters of a finished stage's model."""
    return sum(weight.numel() for weight in AutoModelForSequenceClassification.from_pretrained(folder).parameters())


def seconds_to_read(
    folders: Sequence[Path], texts: Sequence[str], *, max_length: int, device: torch.device | str, repeats: int = 3
) -> float:
    """How long some models take to read texts, one model after the other: the shortest of several times.

    Args:
        folders (`Sequence[Path]`): The folders of the models.
        texts (`Sequence[str]`): What they read, from raw text to the scores of all their tasks.
        max_length (`int`): Longer texts are cut to this number of tokens.
        device (`torch.device` or `str`): Where they run.
        repeats (`int`, defaults to 3): How often it is measured, after a warm-up.
    """
    models = [
        (AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder))
        for folder in folders
    ]
    for model, tokenizer in models:
        predict_logits(model, tokenizer, texts[:64], max_length=max_length, device=device)
    seconds = []
    for _ in range(repeats):
        started = time.monotonic()
        for model, tokenizer in models:
            predict_logits(model, tokenizer, texts, max_length=max_length, device=device)
        seconds.append(time.monotonic() - started)
    return min(seconds)


def compare_with_twins(
    runs: Mapping[int, Path],
    stages: Mapping[str, str],
    model: str,
    problem_types: Mapping[str, str],
    texts: Sequence[str],
    *,
    max_length: int = 128,
    device: torch.device | str = "cpu",
) -> dict[str, Any]:
    """Compare a multi-task model with its twins over seeds.

    Args:
        runs (`Mapping[int, Path]`): By seed, the output folder that holds the finished stages.
        stages (`Mapping[str, str]`): By task, the stage of the twin that learnt it alone.
        model (`str`): The stage of the multi-task model.
        problem_types (`Mapping[str, str]`): By task, its problem type.
        texts (`Sequence[str]`): What the models read while their time is taken.

    Returns:
        `dict`: `scores` (by task and metric, `model` and `twin`: one score a seed), `parameters`, `training_seconds`
        (one a seed) and `seconds_to_read`, each of `model` and `twins` (together), and `texts`, how many were read.
    """
    scores: dict[str, dict[str, dict[str, list[float]]]] = {}
    for task, problem_type in problem_types.items():
        found = {
            who: [task_metrics(folder / stage, task) for folder in runs.values()]
            for who, stage in (("model", model), ("twin", stages[task]))
        }
        scores[task] = {
            metric: {who: [round(metrics[metric], 4) for metrics in seeds] for who, seeds in found.items()}
            for metric in HEADLINE[problem_type]
        }
    first = next(iter(runs.values()))
    parts = {"model": [model], "twins": [stages[task] for task in problem_types]}
    return {
        "scores": scores,
        "parameters": {who: sum(count_parameters(first / name) for name in names) for who, names in parts.items()},
        "training_seconds": {
            who: [round(sum(_seconds(folder / name) for name in names), 1) for folder in runs.values()]
            for who, names in parts.items()
        },
        "seconds_to_read": {
            who: round(
                seconds_to_read([first / name for name in names], texts, max_length=max_length, device=device), 3
            )
            for who, names in parts.items()
        },
        "texts": len(texts),
    }


def twins_table(compared: Mapping[str, Any]) -> str:
    """What [`compare_with_twins`] returned, as two Markdown tables."""
    lines = ["| task | metric | one model | its twin | difference |", "|---|---|---|---|---|"]
    for task, metrics in compared["scores"].items():
        for metric, both in metrics.items():
            differences = [one - twin for one, twin in zip(both["model"], both["twin"], strict=True)]
            cells = [mean_and_spread(values) for values in (both["model"], both["twin"])]
            lines.append(
                f"| {task} | {metric.replace('_', ' ')} | {' | '.join(cells)} | {mean_and_spread(differences)} |"
            )
    lines += ["", "| | one model | twins together | share |", "|---|---|---|---|"]
    training = {who: statistics.mean(seconds) for who, seconds in compared["training_seconds"].items()}
    for name, values, form in (
        ("parameters", compared["parameters"], "{:,.0f}"),
        ("training, s", training, "{:,.0f}"),
        (f"reading {compared['texts']} texts, s", compared["seconds_to_read"], "{:.2f}"),
    ):
        share = values["model"] / values["twins"]
        lines.append(f"| {name} | {form.format(values['model'])} | {form.format(values['twins'])} | {share:.2f} |")
    return "\n".join(lines)


def branches_table(scores: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Scores of several encoders, by encoder and metric one a seed, as a Markdown table."""
    metrics = list(next(iter(scores.values())))
    lines = [f"| encoder | {' | '.join(metrics)} |", "|---" * (len(metrics) + 1) + "|"]
    lines += [
        f"| {encoder} | {' | '.join(mean_and_spread(found[metric]) for metric in metrics)} |"
        for encoder, found in scores.items()
    ]
    return "\n".join(lines)


def save_twins(compared: Mapping[str, Any], folder: Path, name: str, about: Mapping[str, Any]) -> str:
    """Write a comparison as tables (`NAME.md`), a figure (`NAME.png`) and with everything (`NAME.json`).

    Args:
        compared (`Mapping`): What [`compare_with_twins`] returned.
        folder (`Path`): Where to write.
        name (`str`): Name of the files.
        about (`Mapping`): Data, encoder, seeds and the like.

    Returns:
        `str`: The Markdown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", {**about, **compared})
    described = "\n".join(f"- {key.replace('_', ' ')}: {value}" for key, value in about.items())
    seeds = len(compared["training_seconds"]["model"])
    text = "\n\n".join(
        [
            "One model for all tasks beside one model a task: dev scores x 100"
            + (", mean ± standard deviation over seeds." if seeds > 1 else ", one seed: no claim rests on it."),
            twins_table(compared),
            described,
        ]
    )
    (folder / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    plot_comparison(
        {
            label: {
                f"{task} {metric}": both[who]
                for task, metrics in compared["scores"].items()
                for metric, both in metrics.items()
            }
            for label, who in (("one model", "model"), ("twins", "twin"))
        },
        folder / f"{name}.png",
        "One model for all tasks, and one model a task",
    )
    return text


def _seconds(folder: Path) -> float:
    return json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))["seconds"]
