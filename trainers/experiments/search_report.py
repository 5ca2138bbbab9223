"""Report of a hyper-parameter search: the trials, the importance of options, and the best against the defaults."""

import json
import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import write_json
from ..evaluation import HEADLINE, f1_intervals, paired_test, per_label_scores
from ..runs import Runner
from .comparison import dev_decisions
from .markdown import markdown_table, verbatim_markdown

if TYPE_CHECKING:
    from optuna.study import Study

# With fewer trials, importance cannot be estimated.
_FEWEST = 4
PLOTS = {
    "plot_optimization_history": ("history.png", "The trials in order, and the best so far"),
    "plot_param_importances": ("importances.png", "How much of the difference between trials each option explains"),
    "plot_slice": ("slices.png", "The trials by each option"),
    "plot_parallel_coordinate": ("parallel.png", "Each trial as a line through its options"),
}


def write_report(folder: Path, study: "Study", default: Runner, best: Runner, search: Any) -> None:
    """Write `trials.csv`, `report.md` and its figures.

    Args:
        folder (`Path`): Folder to write to.
        study (`optuna.study.Study`): The finished study.
        default ([`Runner`]): The finished run at the default settings.
        best ([`Runner`]): The finished run with the options of the best trial.
        search ([`SearchArguments`]): Options of the search.
    """
    study.trials_dataframe(attrs=("number", "value", "state", "params", "user_attrs", "duration")).to_csv(
        folder / "trials.csv", index=False
    )
    importances = parameter_importances(study)
    figures = _draw(study, folder, with_importances=bool(importances))
    states = {
        state: sum(trial.state.name == state for trial in study.trials) for state in ("COMPLETE", "PRUNED", "FAIL")
    }
    trial = study.best_trial
    options = " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in trial.params.items())
    samples = f", each on {search.search_samples} training texts" if search.search_samples else ""
    sections = [
        "# Hyper-parameter search",
        f"{states['COMPLETE']} trials were finished, {states['PRUNED']} broken off early and {states['FAIL']} lost"
        f"{samples}. Searched for: {search.search_metric.replace('_', ' ')} on dev. The same dev texts chose the trial "
        "and the thresholds, so its score is flattered; trust a test split.",
        f"## The best: trial {trial.number}{', the default settings' if trial.user_attrs.get('default') else ''}",
        f"`{options}`",
        _comparison(default, best),
        "## The trials",
        _trials_table(study, search.search_metric),
        "## What mattered",
        _importance_table(importances)
        if importances
        else f"Fewer than {_FEWEST} finished trials, or all alike: no importance can be told.",
        *(f"![{caption}]({name})" for name, caption in figures.items()),
    ]
    (folder / "report.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    write_json(folder / "best.json", {"trial": trial.number, "value": trial.value, "options": trial.params})


def parameter_importances(study: "Study") -> dict[str, float]:
    """Importance of each option: its share of the variance between finished trials. Empty if it cannot be estimated."""
    import optuna

    finished = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    if len(finished) < _FEWEST or len({trial.value for trial in finished}) == 1:
        return {}
    return optuna.importance.get_param_importances(study)


def label_table(runners: dict[str, Runner]) -> str:
    """Markdown table of the F1 of each label in several runs on the same multi-label dev texts, with intervals.

    Args:
        runners (`dict[str, Runner]`): Finished runs, by their name in the table.
    """
    first = next(iter(runners.values()))
    labels = first.prepared.tasks["emotion"].labels
    references = first.prepared.labels("dev")
    support = np.nansum(references, axis=0).astype(int)
    cells: dict[str, list[str]] = {}
    for name, runner in runners.items():
        decisions = dev_decisions(final_folder(runner), "multi_label_classification")
        scores = per_label_scores(decisions, references, labels, "multi_label_classification")
        cells[name] = [
            f"{100 * score['f1']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
            for score, (low, high) in zip(scores.values(), f1_intervals(decisions, references), strict=True)
        ]
    rows = []
    for index, label in enumerate(labels):
        rows.append([verbatim_markdown(label), str(support[index]), *(column[index] for column in cells.values())])
    table = markdown_table(["label", "dev texts", *cells], rows)
    return f"{table}\n\nF1 x 100 on dev, in brackets the 95 % interval of the bootstrap over its texts. One seed."


def final_folder(runner: Runner) -> Path:
    """Folder of a run's last stage."""
    return runner.prepared.folder(runner.prepared.final)


def scores_table(runners: dict[str, Runner]) -> str:
    """Scores of several finished runs."""
    metrics = HEADLINE[_problem_type(next(iter(runners.values())))]
    rows = []
    for name, runner in runners.items():
        scores = json.loads((final_folder(runner) / "eval_results.json").read_text(encoding="utf-8"))["metrics"]
        rows.append([name, *(f"{100 * scores[metric]:.1f}" for metric in metrics)])
    return markdown_table(["run", *(metric.replace("_", " ") for metric in metrics)], rows)


def _problem_type(runner: Runner) -> str:
    return runner.prepared.task_config("emotion")["problem_type"]


def _comparison(default: Runner, best: Runner) -> str:
    runners = {"default settings": default, "best trial, trained anew": best}
    parts = [scores_table(runners)]
    references = default.prepared.labels("dev")
    system, baseline = (dev_decisions(final_folder(run), _problem_type(run))[None] for run in (best, default))
    classes = None if references.ndim == 2 else len(default.prepared.tasks["emotion"].labels)
    sampling = default.prepared.sampling()
    result = paired_test(system, baseline, references, "macro_f1", 2_000, num_labels=classes, **sampling)
    parts.append(
        f"Difference in macro F1: {100 * result.difference:+.1f}, 95 % interval over the dev texts "
        f"[{100 * result.low:+.1f}, {100 * result.high:+.1f}]. One seed each."
    )
    if references.ndim == 2:
        parts.append(label_table(runners))
    return "\n\n".join(parts)


def _trials_table(study: "Study", metric: str) -> str:
    names = list(dict.fromkeys(name for trial in study.trials for name in trial.params))
    rows = []
    order = sorted(study.trials, key=lambda trial: (trial.state.name, -(trial.value or 0.0)))
    for trial in order:
        values = [trial.params.get(name, "") for name in names]
        rows.append(
            [
                str(trial.number),
                trial.state.name.lower(),
                "" if trial.value is None else f"{100 * trial.value:.1f}",
                f"{trial.duration.total_seconds() / 60:.1f}" if trial.duration else "",
                *(f"{value:.2g}" if isinstance(value, float) else verbatim_markdown(value) for value in values),
            ]
        )
    return markdown_table(["trial", "state", metric.replace("_", " "), "minutes", *names], rows)


def _importance_table(importances: dict[str, float]) -> str:
    table = markdown_table(["option", "importance"], [[name, f"{value:.2f}"] for name, value in importances.items()])
    return f"{table}\n\nShares of the variance that the options explain, estimated from few trials."


def _draw(study: "Study", folder: Path, with_importances: bool) -> dict[str, str]:
    import matplotlib.pyplot as plt
    import optuna.visualization.matplotlib as plots

    figures = {}
    for function, (name, caption) in PLOTS.items():
        if function != "plot_optimization_history" and not with_importances:
            continue
        with warnings.catch_warnings():
            # Optuna marks its figures as experimental.
            warnings.simplefilter("ignore")
            axes = np.ravel(getattr(plots, function)(study))[0]
        axes.figure.savefig(folder / name, dpi=120, bbox_inches="tight")
        plt.close(axes.figure)
        figures[name] = caption
    return figures


__all__ = ["final_folder", "label_table", "parameter_importances", "scores_table", "write_report"]
