"""The results of a run: `results.json` and the table in the terminal."""

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..data import write_json
from ..recipes import Recipe
from .terminal_text import verbatim

logger = logging.getLogger(__name__)

RESULTS_NAME = "results.json"
# In a classifier's folder: its logits for the dev texts, used to compare it with others.
DEV_LOGITS_NAME = "dev_logits.npy"
# Metrics in the table for stages that do not predict emotions.
OTHER_METRICS = ("accuracy", "macro_recall", "pearson", "loss", "pair_auc")


def read_results(output_dir: Path) -> dict[str, Any]:
    """Contents of `results.json` in a run's folder, or `{"recipes": {}}` if there is none yet or it cannot be read."""
    path = output_dir / RESULTS_NAME
    if not path.is_file():
        return {"recipes": {}}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if all("model" in entry for entry in found["recipes"].values()):
            return found
        reason = "it has other contents than a run writes"
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = str(error)
    logger.warning(
        "%s cannot be read (%s). It is made anew from the finished stages; recipes of other commands in this folder "
        "are listed again when those are repeated.",
        path,
        reason,
    )
    return {"recipes": {}}


def read_evaluation(folder: Path) -> dict[str, Any]:
    """Contents of `eval_results.json` of a finished stage."""
    return json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))


def task_results(folder: Path, task: str) -> dict[str, Any]:
    """Results of a finished stage on one of its tasks: `metrics`, `thresholds` and so on."""
    results = read_evaluation(folder)
    return results if results["task"] == task else results["tasks"][task]


def chosen_thresholds(results: Mapping[str, Any]) -> list[float] | None:
    """Thresholds of a stage or of one of its tasks, one per label; `None` if they were not tuned."""
    return list(results["thresholds"].values()) if "thresholds" in results else None


def dev_logits_name(task: str, first: str) -> str:
    """Name of the file with a stage's logits for the dev texts of a task; `first` is the stage's first task."""
    return DEV_LOGITS_NAME if task == first else f"dev_logits_{task}.npy"


def dev_logits_path(folder: Path, task: str) -> Path:
    """File with the logits of a finished stage for the dev texts of a task, in the order of the task's data."""
    results = read_evaluation(folder)
    return folder / dev_logits_name(task, results["task"])


def update_results(output_dir: Path, recipes: Sequence[Recipe]) -> None:
    """Write `results.json` for the recipes that were run, keeping those of earlier runs in the same folder.

    It contains `{"recipes": {name: {"model", "metrics", "seconds", "stages": {name: {...}}}}}`; metrics are fractions.
    """
    results = read_results(output_dir)
    for recipe in recipes:
        figures = {stage.name: read_evaluation(output_dir / stage.name) for stage in recipe.stages}
        final = recipe.final.name
        entry: dict[str, Any] = {
            "model": str(output_dir / final),
            **{key: figures[final][key] for key in ("metrics", "metrics_at_0.5", "shuffled") if key in figures[final]},
            "seconds": round(sum(stage["seconds"] for stage in figures.values()), 1),
            "stages": {
                name: {key: stage[key] for key in ("task", "metrics", "tasks", "seconds") if key in stage}
                for name, stage in figures.items()
            },
        }
        results["recipes"][recipe.name] = entry
    write_json(output_dir / RESULTS_NAME, results)


def print_results(results: dict[str, Any], headline: tuple[str, ...], console: Console | None = None) -> None:
    """A table with one row per stage and one per recipe; scores of tasks other than emotion are in words.

    Args:
        results (`dict`): As returned by [`read_results`].
        headline (`tuple[str, ...]`): The metrics of the emotion task to show.
    """
    table = Table(title="Dev results (scores x 100)")
    table.add_column("recipe or stage", no_wrap=True)
    for name in headline:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_column("other", justify="left")
    table.add_column("seconds", justify="right")
    seen = set()
    for recipe, figures in results["recipes"].items():
        for stage, part in figures["stages"].items():
            if stage not in seen:
                table.add_row(verbatim(f"  {stage}"), *_cells(part, headline), f"{part['seconds']:.0f}")
            seen.add(stage)
        final = {**list(figures["stages"].values())[-1], "metrics": figures["metrics"]}
        table.add_row(verbatim(recipe, style="bold"), *_cells(final, headline), f"{figures['seconds']:.0f}")
    # A pipe has no width, and a truncated table is useless.
    (console or Console(width=None if sys.stdout.isatty() else 120)).print(table)


def _cells(stage: dict[str, Any], headline: tuple[str, ...]) -> list[Text]:
    """Headline metrics of the emotion task; for other tasks, the main metrics in words."""
    metrics = stage["metrics"]
    others = [_in_words(name, task["metrics"]) for name, task in stage.get("tasks", {}).items()]
    if stage.get("task") == "emotion":
        cells = [*(f"{100 * metrics[name]:.1f}" for name in headline), "; ".join(others)]
    else:
        cells = [*("-" for _ in headline), "; ".join([_in_words(stage.get("task"), metrics), *others])]
    return list(map(verbatim, cells))


def _in_words(task: str | None, metrics: dict[str, float]) -> str:
    found = [f"{name.replace('_', ' ')} {metrics[name]:.3f}" for name in OTHER_METRICS if name in metrics]
    return ", ".join(found if task is None else [task, *found])
