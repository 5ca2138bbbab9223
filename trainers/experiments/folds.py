"""Recipes over all folds of a dataset: scores by fold, their mean, and the score of all held-out texts together."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from model_cards import plot_comparison

from ..data import write_json
from ..evaluation import HEADLINE, METRICS, paired_test, per_label_scores
from ..runs import PreparedRun, read_results
from .comparison import dev_decisions, difference, mean_and_spread, title
from .markdown import markdown_table, verbatim_markdown


def compare_folds(
    runs: Sequence[PreparedRun], baseline: str | None = None, resamples: int = 10_000
) -> dict[str, dict[str, Any]]:
    """Scores of recipes that were run once per fold.

    A metric over all held-out texts is not the mean of the folds' metrics: an F1 is no average over texts, and folds
    differ in size.

    Args:
        runs (`Sequence[PreparedRun]`): The finished runs, one per fold, in order.
        baseline (`str`, *optional*): The recipe that the others are tested against. Defaults to the first.
        resamples (`int`, defaults to 10,000): As in [`~trainers.evaluation.paired_test`].

    Returns:
        `dict`: By recipe `scores` (by metric, one fraction per fold), `union` (by metric, of all held-out texts, each
        decided on by the model that was not trained on it), `per_label` (of the same), `seconds` (one per fold) and,
        for all but the baseline, `tests` on the held-out texts (by metric, the fields of
        [`~trainers.evaluation.PairedTest`]).
    """
    data = runs[0].tasks["emotion"]
    labels, problem_type = data.labels, data.problem_type
    # Without it, the macro F1 would be over the classes that occur.
    options: dict[str, Any] = {"num_labels": len(labels)} if problem_type == "single_label_classification" else {}
    references = np.concatenate([run.labels("dev") for run in runs])
    # A dialogue or a writer is in one fold alone.
    groups = [group for run in runs for group in run.sampling()["groups"]]
    recipes = [recipe.name for recipe in runs[0].recipes]
    baseline = baseline or recipes[0]
    figures = {name: [read_results(run.output_dir)["recipes"][name] for run in runs] for name in recipes}
    decisions = {
        name: np.concatenate([dev_decisions(Path(one["model"]), problem_type) for one in folds])
        for name, folds in figures.items()
    }
    compared: dict[str, dict[str, Any]] = {}
    for name, folds in figures.items():
        metrics = HEADLINE[problem_type]
        union = METRICS[problem_type]().compute(predictions=decisions[name], references=references, **options) or {}
        compared[name] = {
            "scores": {metric: [round(one["metrics"][metric], 4) for one in folds] for metric in metrics},
            "union": {metric: round(float(union[metric]), 4) for metric in metrics},
            "per_label": per_label_scores(decisions[name], references, labels, problem_type),
            "seconds": [one["seconds"] for one in folds],
        }
        if name != baseline and baseline in decisions:
            pair = (decisions[name][None], decisions[baseline][None], references)
            compared[name]["tests"] = {
                metric: asdict(paired_test(*pair, metric, resamples, groups=groups, **options)) for metric in metrics
            }
    return compared


def folds_tables(compared: Mapping[str, Mapping[str, Any]], baseline: str, texts: Sequence[int]) -> list[str]:
    """The result of [`compare_folds`] as two Markdown tables: one row per recipe, and one row per fold.

    Args:
        compared (`Mapping`): Scores by recipe.
        baseline (`str`): The recipe that the others were tested against.
        texts (`Sequence[int]`): Number of held-out texts of each fold.
    """
    metrics = list(next(iter(compared.values()))["scores"])
    against = [f"vs {baseline}"] if len(compared) > 1 else []
    heads = [head for metric in metrics for head in (f"{title(metric)}, folds", "all held-out", *against)]
    rows = []
    for recipe, one in compared.items():
        cells = [f"`{recipe}`"]
        for metric in metrics:
            cells += [mean_and_spread(one["scores"][metric]), f"{100 * one['union'][metric]:.1f}"]
            cells += [difference(one["tests"][metric]) if "tests" in one else "–"] if against else []
        rows.append(cells)
    of_folds = [
        [
            str(fold),
            str(size),
            *(f"{100 * one['scores'][metric][fold]:.1f}" for one in compared.values() for metric in metrics),
        ]
        for fold, size in enumerate(texts)
    ]
    each = [f"`{recipe}`, {title(metric)}" for recipe in compared for metric in metrics]
    return [markdown_table(["recipe", *heads], rows), markdown_table(["fold", "texts", *each], of_folds)]


def save_folds(runs: Sequence[PreparedRun], folder: Path, about: Mapping[str, Any]) -> str:
    """Write the scores of all folds as tables (`folds.md`), a figure (`folds.png`) and in full (`folds.json`).

    Args:
        runs (`Sequence[PreparedRun]`): The finished runs, one per fold, in order.
        folder (`Path`): Folder to write to.
        about (`Mapping`): Encoder, seed and the like.

    Returns:
        `str`: The contents of `folds.md`.
    """
    data = runs[0].tasks["emotion"]
    texts = [len(run.labels("dev")) for run in runs]
    compared, baseline = compare_folds(runs), runs[0].recipes[0].name
    protocol = [
        f"{len(runs)} trainings of each recipe. Each text is scored once, by the model that was trained without its "
        "whole fold; thresholds and checkpoints, where they are chosen, are chosen on that fold.",
        *([data.info.protocol] if data.info and data.info.protocol else []),
    ]
    facts = {"data": data.name, **about, "protocol": " ".join(protocol)}
    write_json(folder / "folds.json", {**facts, "texts": texts, "baseline": baseline, "recipes": compared})
    heading = f"All folds of {data.name}"
    first, second = folds_tables(compared, baseline, texts)
    scores = f"{heading}: scores x 100, mean ± standard deviation over folds, and of all {sum(texts)} held-out texts"
    tested = (
        f" together; the difference of these from `{baseline}` with its 95 % interval and p-value (bootstrap over "
        "texts: it says nothing of another training)."
        if len(compared) > 1
        else " together."
    )
    described = "\n".join(f"- {key}: {verbatim_markdown(value)}" for key, value in facts.items() if key != "protocol")
    text = "\n\n".join([verbatim_markdown(scores) + tested, first, " ".join(protocol), second, described]) + "\n"
    (folder / "folds.md").write_text(text, encoding="utf-8")
    plot_comparison({recipe: one["scores"] for recipe, one in compared.items()}, folder / "folds.png", heading)
    return text


__all__ = ["compare_folds", "folds_tables", "save_folds"]
