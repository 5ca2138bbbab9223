"""How benchmarks write their results: the scores of every seed as JSON, their means and spread as a Markdown table."""

from pathlib import Path
from typing import Any

from trainers.comparison import mean_and_spread
from trainers.records import write_json

RESULTS = Path(__file__).parent / "results"


def write_report(name: str, run: dict[str, Any], scores: dict[str, dict[str, list[float]]]) -> None:
    """Write `results/<name>.json` and `results/<name>.md`.

    Args:
        name (`str`): The benchmark's name.
        run (`dict`): What was run: data, encoder, seeds and the command.
        scores (`dict`): By setting and metric, one score a seed, as fractions.
    """
    RESULTS.mkdir(exist_ok=True)
    write_json(RESULTS / f"{name}.json", {**run, "scores": scores})
    metrics = list(next(iter(scores.values())))
    lines = [f"| | {' | '.join(metric.replace('_', ' ') for metric in metrics)} |", "|---|" + "---|" * len(metrics)]
    for setting, by_metric in scores.items():
        lines.append(f"| {setting} | {' | '.join(mean_and_spread(by_metric[metric]) for metric in metrics)} |")
    described = [f"- {key.replace('_', ' ')}: {value}" for key, value in run.items()]
    text = ["Dev scores x 100: mean ± standard deviation over the seeds.", "", *lines, "", *described]
    (RESULTS / f"{name}.md").write_text("\n".join(text) + "\n", encoding="utf-8")
