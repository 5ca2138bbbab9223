"""A multi-task model beside its twin in each language."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from ..runs import task_results
from .markdown import markdown_table, verbatim_markdown

# Place of the difference in a row of scores.
DIFFERENCE = 2


def languages_table(folders: Sequence[Path], twins: Sequence[Path], task: str, problem_type: str) -> str:
    """Dev scores by language as a Markdown table, means over the seeds: of a model, of its twin, and of each label of
    the model.

    Args:
        folders (`Sequence[Path]`): Finished stages of the model, one per seed.
        twins (`Sequence[Path]`): Those of its twin.
        task (`str`): The task.
        problem_type (`str`): Its problem type.

    Returns:
        `str`: The table, with the means over languages last; empty if the data do not name languages.
    """
    ours, theirs = ([task_results(folder, task) for folder in one] for one in (folders, twins))
    if "per_language" not in ours[0]:
        return ""
    metric = "pearson" if problem_type == "regression" else "macro_f1"
    of_label = metric.removeprefix("macro_")
    labels, languages = list(ours[0]["per_label"]), list(ours[0]["per_language"])
    rows: list[list[float | None]] = []
    for language in languages:
        found, other = ([one["per_language"][language] for one in seeds] for seeds in (ours, theirs))
        both = [mean(one[metric] for one in seeds) for seeds in (found, other)]
        each = [_mean_of_label([one["per_label"] for one in found], label, of_label) for label in labels]
        rows.append([*both, both[0] - both[1], *each])
    columns = [[value for value in column if value is not None] for column in zip(*rows, strict=True)]
    rows.append([mean(column) if column else None for column in columns])
    cells = [
        [name, *(_cell(value, "+" if place == DIFFERENCE else "") for place, value in enumerate(row))]
        for name, row in zip([*languages, "mean"], rows, strict=True)
    ]
    heads = [
        f"{task}, {metric.replace('_', ' ')}",
        "one model",
        "its twin",
        "difference",
        *map(verbatim_markdown, labels),
    ]
    return markdown_table(heads, cells)


def _mean_of_label(per_label: Sequence[Mapping[str, Any]], label: str, metric: str) -> float | None:
    """Mean over the seeds; `None` for a label that the language lacks."""
    return mean(one[label][metric] for one in per_label) if label in per_label[0] else None


def _cell(value: float | None, sign: str) -> str:
    return "–" if value is None else f"{100 * value:{sign}.1f}"
