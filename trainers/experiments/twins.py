"""A multi-task model beside its twins (one model of the same kind per task): scores, size and time."""

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer

from model_cards import plot_comparison

from ..data import write_json
from ..evaluation import HEADLINE, load_classifier, paired_test, predict_logits
from ..runs import dev_logits_path, task_results
from .comparison import dev_decisions, difference, mean_and_spread
from .markdown import markdown_table, verbatim_markdown


def task_scores(folders: Sequence[Path], task: str, problem_type: str) -> dict[str, list[float]]:
    """Dev scores of finished stages on a task, by headline metric."""
    found = [task_results(folder, task)["metrics"] for folder in folders]
    return {metric: [round(metrics[metric], 4) for metrics in found] for metric in HEADLINE[problem_type]}


def task_tests(
    folders: Sequence[Path],
    baselines: Sequence[Path],
    task: str,
    problem_type: str,
    references: np.ndarray,
    resamples: int = 10_000,
    **sampling: Any,
) -> dict[str, dict[str, Any]]:
    """Paired tests of finished stages against others on a common task.

    Args:
        folders (`Sequence[Path]`): The stages, one per seed.
        baselines (`Sequence[Path]`): Stages to test them against, one per seed.
        task (`str`): The task.
        problem_type (`str`): Problem type of the task.
        references (`np.ndarray`): Labels of the task's dev texts.
        resamples (`int`, defaults to 10,000): As in [`paired_test`].
        **sampling: How texts and seeds were drawn: `groups` and `paired_seeds`, as in [`paired_test`].

    Returns:
        `dict`: The fields of [`PairedTest`] by headline metric; empty if a run has no logits for the dev texts of this
        task.
    """
    if not all(dev_logits_path(folder, task).is_file() for folder in (*folders, *baselines)):
        return {}
    system, baseline = (
        np.stack([dev_decisions(folder, problem_type, task) for folder in of_seeds])
        for of_seeds in (folders, baselines)
    )
    single = problem_type == "single_label_classification"
    # All classes, not only those that occur: one missing from dev still counts in the macro F1.
    sampling |= {"resamples": resamples}
    sampling |= {"num_labels": len(task_results(folders[0], task)["per_label"]) if single else None}
    return {
        metric: asdict(paired_test(system, baseline, references, metric, **sampling))
        for metric in HEADLINE[problem_type]
    }


def count_parameters(folder: Path) -> int:
    """Number of parameters of a finished stage's model."""
    return sum(weight.numel() for weight in load_classifier(folder).parameters())


def seconds_to_read(
    folders: Sequence[Path], texts: Sequence[str], *, max_length: int, device: torch.device | str, repeats: int = 3
) -> float:
    """Seconds that models take to read texts, one model after the other: the shortest of several runs.

    Args:
        folders (`Sequence[Path]`): Folders of the models.
        texts (`Sequence[str]`): Texts to read, from raw text to the scores of all tasks.
        max_length (`int`): Longer texts are cut to this number of tokens.
        device (`torch.device` or `str`): Device to run on.
        repeats (`int`, defaults to 3): Number of measurements, after a warm-up.
    """
    models = [(load_classifier(folder), AutoTokenizer.from_pretrained(folder)) for folder in folders]
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
    references: Mapping[str, np.ndarray],
    texts: Sequence[str],
    *,
    sampling: Mapping[str, Mapping[str, Any]] | None = None,
    max_length: int = 128,
    device: torch.device | str = "cpu",
    resamples: int = 10_000,
) -> dict[str, Any]:
    """Compare a multi-task model with its twins over seeds.

    Args:
        runs (`Mapping[int, Path]`): Output folders with the finished stages, by seed.
        stages (`Mapping[str, str]`): Stages of the twins, by task.
        model (`str`): Stage of the multi-task model.
        problem_types (`Mapping[str, str]`): Problem types by task.
        references (`Mapping[str, np.ndarray]`): Labels of the dev texts by task.
        texts (`Sequence[str]`): Texts for timing the models.
        sampling (`Mapping[str, Mapping]`, *optional*): By task, `groups` and `paired_seeds` as in [`paired_test`].
        resamples (`int`, defaults to 10,000): As in [`paired_test`].

    Returns:
        `dict`: `scores` (by task and metric, `model` and `twin`: one score per seed), `tests` (by task and metric, as
        returned by [`task_tests`]), `parameters`, `training_seconds` (one per seed) and `seconds_to_read`, each of
        `model` and `twins` (together), and `texts`, the number of texts read.
    """
    scores: dict[str, dict[str, dict[str, list[float]]]] = {}
    tests: dict[str, dict[str, dict[str, Any]]] = {}
    for task, problem_type in problem_types.items():
        ours, theirs = ([folder / stage for folder in runs.values()] for stage in (model, stages[task]))
        found = {who: task_scores(one, task, problem_type) for who, one in (("model", ours), ("twin", theirs))}
        scores[task] = {metric: {who: one[metric] for who, one in found.items()} for metric in HEADLINE[problem_type]}
        drawn = (sampling or {}).get(task, {})
        tests[task] = task_tests(ours, theirs, task, problem_type, references[task], resamples, **drawn)
    first = next(iter(runs.values()))
    parts = {"model": [model], "twins": [stages[task] for task in problem_types]}
    return {
        "scores": scores,
        "tests": tests,
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
    """The result of [`compare_with_twins`] as two Markdown tables."""
    rows = []
    for task, metrics in compared["scores"].items():
        for metric, both in metrics.items():
            differences = [one - twin for one, twin in zip(both["model"], both["twin"], strict=True)]
            cells = [mean_and_spread(values) for values in (both["model"], both["twin"])]
            test = compared["tests"][task].get(metric)
            cells.append(difference(test) if test else mean_and_spread(differences))
            rows.append([task, metric.replace("_", " "), *cells])
    scores = markdown_table(["task", "metric", "one model", "its twin", "difference"], rows)
    rows = []
    training = {who: statistics.mean(seconds) for who, seconds in compared["training_seconds"].items()}
    for name, values, form in (
        ("parameters", compared["parameters"], "{:,.0f}"),
        ("training, s", training, "{:,.0f}"),
        (f"reading {compared['texts']} texts, s", compared["seconds_to_read"], "{:.2f}"),
    ):
        share = values["model"] / values["twins"]
        rows.append([name, form.format(values["model"]), form.format(values["twins"]), f"{share:.2f}"])
    return f"{scores}\n\n{markdown_table(['', 'one model', 'twins together', 'share'], rows)}"


def compare_encoders(
    folders: Mapping[str, Sequence[Path]],
    problem_types: Mapping[str, str],
    references: Mapping[str, np.ndarray],
    resamples: int = 10_000,
    sampling: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Compare a multi-task model over several encoders.

    Args:
        folders (`Mapping[str, Sequence[Path]]`): Finished stages by encoder, one per seed; the others are tested
            against the first.
        problem_types (`Mapping[str, str]`): Problem types by task.
        references (`Mapping[str, np.ndarray]`): Labels of the dev texts by task.
        resamples (`int`, defaults to 10,000): As in [`paired_test`].
        sampling (`Mapping[str, Mapping]`, *optional*): By task, `groups` and `paired_seeds` as in [`paired_test`].

    Returns:
        `dict`: For each encoder, `scores` and, for all but the first, `tests`, both by task and metric, such as
        `intensity pearson`.
    """
    first = next(iter(folders.values()))
    compared: dict[str, dict[str, dict[str, Any]]] = {}
    for encoder, of_seeds in folders.items():
        compared[encoder] = {"scores": {}} if of_seeds is first else {"scores": {}, "tests": {}}
        for task, problem_type in problem_types.items():
            found: dict[str, dict[str, Any]] = {"scores": task_scores(of_seeds, task, problem_type)}
            if of_seeds is not first:
                drawn = (sampling or {}).get(task, {})
                found["tests"] = task_tests(of_seeds, first, task, problem_type, references[task], resamples, **drawn)
            for part, by_metric in found.items():
                compared[encoder][part] |= {
                    f"{task} {metric.replace('_', ' ')}": value for metric, value in by_metric.items()
                }
    return compared


def encoders_table(compared: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The result of [`compare_encoders`] as a Markdown table."""
    first = next(iter(compared))
    metrics = list(compared[first]["scores"])
    columns = ["encoder", *(cell for metric in metrics for cell in (metric, f"vs {first}"))]
    rows = []
    for encoder, one in compared.items():
        cells: list[str] = [verbatim_markdown(encoder)]
        for metric in metrics:
            test = one.get("tests", {}).get(metric)
            cells += [mean_and_spread(one["scores"][metric]), difference(test) if test else "–"]
        rows.append(cells)
    return markdown_table(columns, rows)


def save_twins(compared: Mapping[str, Any], folder: Path, name: str, about: Mapping[str, Any]) -> str:
    """Write a comparison as tables (`NAME.md`), a figure (`NAME.png`) and in full (`NAME.json`).

    Args:
        compared (`Mapping`): The result of [`compare_with_twins`].
        folder (`Path`): Folder to write to.
        name (`str`): Name of the files.
        about (`Mapping`): Data, encoder, seeds and the like.

    Returns:
        `str`: The Markdown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", {**about, **compared})
    described = "\n".join(f"- {key.replace('_', ' ')}: {value}" for key, value in about.items())
    seeds = len(compared["training_seconds"]["model"])
    parts = [
        "One model for all tasks beside one model a task: dev scores x 100"
        + (", mean ± standard deviation over seeds" if seeds > 1 else ", one seed: no claim rests on it")
        + "; difference with its 95 % interval and p-value (bootstrap over texts "
        + ("and seeds)." if seeds > 1 else "alone)."),
        twins_table(compared),
    ]
    text = "\n\n".join([*parts, described])
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
