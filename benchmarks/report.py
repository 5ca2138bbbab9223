"""Scores without a test: those of every seed as JSON, their means and spread as a Markdown table."""

from pathlib import Path
from typing import Any

from trainers.data import write_json
from trainers.experiments import markdown_table, mean_and_spread


def write_report(folder: Path, name: str, run: dict[str, Any], scores: dict[str, dict[str, list[float]]]) -> None:
    """Write `NAME.json` and `NAME.md`.

    Args:
        folder (`Path`): Where to write.
        name (`str`): The benchmark's name.
        run (`dict`): What was run: data, encoder, seeds and the command.
        scores (`dict`): By setting and metric, one score per seed, as fractions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", {**run, "scores": scores})
    metrics = list(next(iter(scores.values())))
    rows = [
        [setting, *(mean_and_spread(by_metric[metric]) for metric in metrics)] for setting, by_metric in scores.items()
    ]
    table = markdown_table(["", *(metric.replace("_", " ") for metric in metrics)], rows)
    text = f"Dev scores x 100: mean ± standard deviation over the seeds.\n\n{table}\n\n{described(run)}\n"
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


def described(run: dict[str, Any]) -> str:
    """What was run, as a Markdown list."""
    return "\n".join(f"- {key.replace('_', ' ')}: {value}" for key, value in run.items())
