"""Results of benchmarks: JSON with every seed, and a Markdown table."""

from pathlib import Path
from typing import Any

from trainers.data import write_json
from trainers.experiments import markdown_table, mean_and_spread


def write_report(folder: Path, name: str, run: dict[str, Any], scores: dict[str, dict[str, list[float]]]) -> None:
    """Write `NAME.json` and `NAME.md`.

    Args:
        folder (`Path`): Folder to write to.
        name (`str`): Name of the benchmark.
        run (`dict`): Data, encoder, seeds and command of the runs.
        scores (`dict`): One score per seed, as fractions, by setting and metric.
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


def write_table(folder: Path, name: str, results: dict[str, Any], shown: str) -> None:
    """Write results as `NAME.json` and, as they are shown, as `NAME.md`; and print these."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", results)
    (folder / f"{name}.md").write_text(shown, encoding="utf-8")
    print(shown)


def described(run: dict[str, Any]) -> str:
    """Description of the runs as a Markdown list."""
    return "\n".join(f"- {key.replace('_', ' ')}: {value}" for key, value in run.items())
