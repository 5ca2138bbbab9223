"""How benchmarks write their results: the scores of every seed as JSON, their means and spread as a Markdown table."""

from pathlib import Path
from typing import Any

from trainers.data.digests import write_json
from trainers.experiments.comparison import mean_and_spread
from trainers.experiments.markdown import markdown_table

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
    rows = [
        [setting, *(mean_and_spread(by_metric[metric]) for metric in metrics)] for setting, by_metric in scores.items()
    ]
    table = markdown_table(["", *(metric.replace("_", " ") for metric in metrics)], rows)
    described = [f"- {key.replace('_', ' ')}: {value}" for key, value in run.items()]
    text = ["Dev scores x 100: mean ± standard deviation over the seeds.", "", table, "", *described]
    (RESULTS / f"{name}.md").write_text("\n".join(text) + "\n", encoding="utf-8")
