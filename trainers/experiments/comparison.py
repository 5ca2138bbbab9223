"""Recipes side by side: scores over seeds, and paired tests against a baseline on the same dev texts."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from model_cards import plot_comparison

from ..data import write_json
from ..evaluation import HEADLINE, decide, holm, paired_test
from ..runs import chosen_thresholds, dev_logits_path, read_results, task_results
from .markdown import markdown_table, verbatim_markdown


def dev_decisions(folder: Path, problem_type: str, task: str = "emotion") -> np.ndarray:
    """Decisions of a finished classifier on the dev texts, at its own thresholds.

    Args:
        folder (`Path`): The stage's folder.
        problem_type (`str`): Problem type of the task.
        task (`str`, defaults to `"emotion"`): One of its tasks.

    Returns:
        `np.ndarray`: 0 and 1 of shape `(texts, num_labels)`, or class ids `(texts,)`; scores for a regression.

    Raises:
        FileNotFoundError: If the run did not write its scores of the dev texts in this task.
    """
    logits = np.load(dev_logits_path(folder, task))
    if problem_type == "regression":
        return logits
    return decide(logits, problem_type, chosen_thresholds(task_results(folder, task)))


def compare_recipes(
    runs: Mapping[int, Path],
    recipes: Sequence[str],
    references: np.ndarray,
    problem_type: str,
    baseline: str = "bert",
    resamples: int = 10_000,
    **sampling: Any,
) -> dict[str, dict[str, Any]]:
    """Scores of recipes over seeds, and how they differ from a baseline's.

    Args:
        runs (`Mapping[int, Path]`): The folder of each seed's run.
        recipes (`Sequence[str]`): The recipes that were run there.

    The other arguments, and what is returned, are those of [`compare_systems`].
    """
    found = {seed: read_results(folder)["recipes"] for seed, folder in runs.items()}
    systems = {recipe: [found[seed][recipe] for seed in runs] for recipe in recipes}
    return compare_systems(systems, references, problem_type, baseline, resamples, **sampling)


def compare_systems(
    systems: Mapping[str, Sequence[Mapping[str, Any]]],
    references: np.ndarray,
    problem_type: str,
    baseline: str = "bert",
    resamples: int = 10_000,
    **sampling: Any,
) -> dict[str, dict[str, Any]]:
    """Scores of systems over seeds, and how they differ from a baseline's.

    Args:
        systems (`Mapping[str, Sequence[Mapping]]`): By name, for each seed what `results.json` holds of a recipe; the
            same seeds in the same order for all.
        references (`np.ndarray`): Labels of the dev texts: 0 and 1 `(texts, num_labels)`, or class ids `(texts,)`.
        problem_type (`str`): Of the emotion task.
        baseline (`str`, defaults to `"bert"`): What the others are tested against, where it is among them.
        resamples (`int`, defaults to 10,000): As in [`paired_test`].
        **sampling: How texts and seeds were drawn: `groups` and `paired_seeds`, as in [`paired_test`].

    Returns:
        `dict`: By system `scores` (by metric, one per seed, as fractions), `scores_at_0.5` where thresholds were tuned,
        `shuffled` (the same with the sources or the emotion half shuffled, for a common space), `seconds` (one per
        seed) and, for all but the baseline, `tests` (by metric, the fields of [`PairedTest`]).
    """
    metrics = HEADLINE[problem_type]
    folders = {name: [Path(one["model"]) for one in figures] for name, figures in systems.items()}
    decisions = {
        name: np.stack([dev_decisions(folder, problem_type) for folder in of_seeds])
        for name, of_seeds in folders.items()
    }
    num_labels = None
    if problem_type == "single_label_classification":
        # All classes, not only those that occur: one missing from dev still counts in the macro F1.
        num_labels = np.load(dev_logits_path(next(iter(folders.values()))[0], "emotion"), mmap_mode="r").shape[1]
    sampling |= {"resamples": resamples, "num_labels": num_labels}
    compared: dict[str, dict[str, Any]] = {}
    for name, figures in systems.items():
        compared[name] = {
            "scores": _by_metric([one["metrics"] for one in figures], metrics),
            "seconds": [one["seconds"] for one in figures],
        }
        if all("metrics_at_0.5" in one for one in figures):
            compared[name]["scores_at_0.5"] = _by_metric([one["metrics_at_0.5"] for one in figures], metrics)
        if all("shuffled" in one for one in figures):
            compared[name]["shuffled"] = {
                part: _by_metric([one["shuffled"][part] for one in figures], metrics) for part in figures[0]["shuffled"]
            }
        if name != baseline and baseline in systems:
            compared[name]["tests"] = {
                metric: asdict(paired_test(decisions[name], decisions[baseline], references, metric, **sampling))
                for metric in metrics
            }
    return compared


def compare_labels(
    systems: Mapping[str, Sequence[Mapping[str, Any]]],
    references: np.ndarray,
    labels: Sequence[str],
    baseline: str,
    resamples: int = 10_000,
    **sampling: Any,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Compare the F1 of each label between systems for multi-label data and a baseline.

    Args:
        systems (`Mapping[str, Sequence[Mapping]]`): As in [`compare_systems`].
        references (`np.ndarray`): Labels of the dev texts, 0 and 1 `(texts, num_labels)`.
        labels (`Sequence[str]`): Names of the labels.
        baseline (`str`): The system to test the others against.
        resamples (`int`, defaults to 10,000): As in [`paired_test`].
        **sampling: As in [`compare_systems`].

    Returns:
        `dict`: By system and label `f1` (one per seed) and, for all but the baseline, `test`, the fields of
        [`PairedTest`].
    """
    folders = {name: [Path(one["model"]) for one in figures] for name, figures in systems.items()}
    decisions = {
        name: np.stack([dev_decisions(folder, "multi_label_classification") for folder in of_seeds])
        for name, of_seeds in folders.items()
    }
    compared: dict[str, dict[str, dict[str, Any]]] = {}
    for name, of_seeds in folders.items():
        scores = [task_results(folder, "emotion")["per_label"] for folder in of_seeds]
        compared[name] = {label: {"f1": [round(one[label]["f1"], 4) for one in scores]} for label in labels}
        for index, label in enumerate(labels if name != baseline else ()):
            # For a single label, the macro F1 is its F1.
            ours, theirs, gold = (rows[..., [index]] for rows in (decisions[name], decisions[baseline], references))
            compared[name][label]["test"] = asdict(paired_test(ours, theirs, gold, "macro_f1", resamples, **sampling))
    return compared


def labels_table(
    compared: Mapping[str, Mapping[str, Mapping[str, Any]]], baseline: str, support: Mapping[str, int]
) -> str:
    """The result of [`compare_labels`] as a Markdown table.

    Args:
        compared (`Mapping`): Scores and tests by system and label.
        baseline (`str`): The system that the others were tested against.
        support (`Mapping[str, int]`): Number of dev texts per label.
    """
    columns = ["label", "dev texts"]
    for name in compared:
        columns += [f"`{name}`", *([] if name == baseline else [f"vs {baseline}"])]
    rows = []
    for label, texts in support.items():
        cells = [verbatim_markdown(label), str(texts)]
        for one in compared.values():
            cells.append(mean_and_spread(one[label]["f1"]))
            cells += [difference(one[label]["test"])] if "test" in one[label] else []
        rows.append(cells)
    return markdown_table(columns, rows)


def mean_and_spread(values: Sequence[float]) -> str:
    """Format fractions as `mean ± standard deviation` x 100; a single value has no spread."""
    mean = f"{100 * statistics.mean(values):.1f}"
    return f"{mean} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else mean


def comparison_table(
    compared: Mapping[str, Mapping[str, Any]], baseline: str, published: Mapping[str, Mapping[str, float]] | None = None
) -> str:
    """The result of [`compare_recipes`] as a Markdown table.

    Args:
        compared (`Mapping`): Scores and tests by recipe.
        baseline (`str`): The system that the others were tested against.
        published (`Mapping[str, Mapping[str, float]]`, *optional*): Percentages of the paper by recipe and metric.
            Missing recipes get a dash, missing metrics no column.

    Returns:
        `str`: One row per recipe: scores x 100 as mean ± standard deviation over seeds, and the difference from the
        baseline with its 95 % interval and p-value from the bootstrap over texts and seeds, and in brackets the one
        that Holm's method adjusts for all tests in the table.
    """
    tests = {
        (recipe, metric): test for recipe, one in compared.items() for metric, test in one.get("tests", {}).items()
    }
    adjusted = dict(zip(tests, holm([test["p_bootstrap"] for test in tests.values()]), strict=True))
    metrics = list(next(iter(compared.values()))["scores"])
    tuned = any("scores_at_0.5" in one for one in compared.values())
    reported = {metric for figures in (published or {}).values() for metric in figures}
    columns = ["recipe"]
    for metric in metrics:
        columns += [title(metric), *(["paper"] if metric in reported else [])]
        columns += [f"vs {baseline}"] if len(compared) > 1 else []
    columns += [f"{title(metric)} at 0.5" for metric in metrics] if tuned else []
    rows = []
    for recipe, one in compared.items():
        cells = [f"`{recipe}`"]
        for metric in metrics:
            cells.append(mean_and_spread(one["scores"][metric]))
            if published and metric in reported:
                value = published.get(recipe, {}).get(metric)
                cells.append("–" if value is None else f"{value:.1f}")
            if len(compared) > 1:
                tested = "tests" in one
                cells.append(difference(one["tests"][metric], adjusted[recipe, metric]) if tested else "–")
        if tuned:
            halves = one.get("scores_at_0.5")
            cells += [mean_and_spread(halves[metric]) if halves else "–" for metric in metrics]
        rows.append(cells)
    return markdown_table(columns, rows)


def shuffled_table(compared: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown table of what each common space loses if one half of its input comes from another text.

    Args:
        compared (`Mapping`): The result of [`compare_systems`]; recipes without sources are left out.
    """
    metrics = list(next(iter(compared.values()))["scores"])
    heads = [f"{title(metric)}, {part} shuffled" for part in ("P_S", "P_E") for metric in metrics]
    rows = []
    for recipe, one in compared.items():
        if "shuffled" not in one:
            continue
        losses = []
        for part in ("sources", "emotion"):
            for metric in metrics:
                pairs = zip(one["shuffled"][part][metric], one["scores"][metric], strict=True)
                losses.append(mean_and_spread([after - before for after, before in pairs]))
        rows.append([f"`{recipe}`", *losses])
    return markdown_table(["recipe", *heads], rows)


def save_comparison(
    compared: dict[str, dict[str, Any]],
    folder: Path,
    name: str,
    heading: str,
    about: dict[str, Any],
    baseline: str = "bert",
    published: Mapping[str, Mapping[str, float]] | None = None,
    sections: Sequence[str] = (),
) -> None:
    """Write a comparison as a table (`NAME.md`), a figure (`NAME.png`) and in full (`NAME.json`).

    Args:
        compared (`dict`): The result of [`compare_systems`].
        folder (`Path`): Folder to write to.
        name (`str`): Name of the files.
        heading (`str`): Heading of the table.
        about (`dict`): Data, encoder, seeds, command and the like.
        baseline (`str`, defaults to `"bert"`): The system that the others were tested against.
        published (`Mapping`, *optional*): As in [`comparison_table`].
        sections (`Sequence[str]`): Further Markdown, after the table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", {**about, "baseline": baseline, "published": published, "recipes": compared})
    seconds = {recipe: statistics.mean(one["seconds"]) for recipe, one in compared.items()}
    described = [f"- {key.replace('_', ' ')}: {_plain(value)}" for key, value in about.items()]
    described.append("- seconds, all stages: " + ", ".join(f"{recipe} {mean:.0f}" for recipe, mean in seconds.items()))
    text = [
        f"{verbatim_markdown(heading)}: dev scores x 100, mean ± standard deviation over seeds; difference from "
        f"`{baseline}` with its 95 % interval and p-value (bootstrap over texts and seeds; in brackets adjusted by "
        "Holm's method for all tests of the table).",
        comparison_table(compared, baseline, published),
    ]
    if all(len(one["seconds"]) == 1 for one in compared.values()):
        text.append(
            "One seed of each: the intervals and p-values are over texts alone and say nothing of another training."
        )
    if any("shuffled" in one for one in compared.values()):
        text += ["What is lost when one half of the input belongs to another text:", shuffled_table(compared)]
    (folder / f"{name}.md").write_text("\n\n".join([*text, *sections, "\n".join(described)]) + "\n", encoding="utf-8")
    plot_comparison({recipe: one["scores"] for recipe, one in compared.items()}, folder / f"{name}.png", heading)


def title(metric: str) -> str:
    """Name of a metric in tables and figures."""
    return metric.replace("_f1", " F1").replace("jaccard", "Jaccard")


def difference(test: Mapping[str, Any], adjusted: float | None = None) -> str:
    """Format a paired test: difference x 100, 95 % interval, p-value and, in brackets, the adjusted one if given."""
    low, high = 100 * test["low"], 100 * test["high"]
    chance = _p_value(test["p_bootstrap"])
    chance += "" if adjusted is None else f" ({_p_value(adjusted).removeprefix('= ')})"
    return f"{100 * test['difference']:+.1f} [{low:+.1f}, {high:+.1f}], p {chance}"


def _p_value(p: float) -> str:
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".", 1)


def _plain(value: Any) -> str:
    return verbatim_markdown(", ".join(map(str, value)) if isinstance(value, list | tuple) else value)


def _by_metric(scores: Sequence[Mapping[str, float]], metrics: Sequence[str]) -> dict[str, list[float]]:
    return {metric: [round(one[metric], 4) for one in scores] for metric in metrics}
