"""The table of a model and its twin by language, from results written by hand."""

import json
from pathlib import Path
from typing import Any

from trainers.experiments.language_table import languages_table


def write_results(folder: Path, by_language: dict[str, tuple[float, dict[str, float]]] | None) -> Path:
    folder.mkdir(parents=True)
    results: dict[str, Any] = {"task": "intensity", "per_label": {"anger": {}, "joy": {}}}
    if by_language is not None:
        results["per_language"] = {
            language: {"pearson": mean, "per_label": {label: {"pearson": one} for label, one in each.items()}}
            for language, (mean, each) in by_language.items()
        }
    (folder / "eval_results.json").write_text(json.dumps(results), encoding="utf-8")
    return folder


def test_means_over_seeds_and_languages(tmp_path: Path) -> None:
    first = {"deu": (0.5, {"anger": 0.4, "joy": 0.6}), "eng": (0.2, {"joy": 0.2})}
    second = {"deu": (0.7, {"anger": 0.6, "joy": 0.8}), "eng": (0.4, {"joy": 0.4})}
    twin = {"deu": (0.65, {"anger": 0.5, "joy": 0.8}), "eng": (0.1, {"joy": 0.1})}
    ours = [write_results(tmp_path / name, found) for name, found in (("a", first), ("b", second))]
    theirs = [write_results(tmp_path / name, twin) for name in ("c", "d")]
    head, _, *rows = languages_table(ours, theirs, "intensity", "regression").splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (head, *rows)]
    assert cells == [
        ["intensity, pearson", "one model", "its twin", "difference", "anger", "joy"],
        ["deu", "60.0", "65.0", "-5.0", "50.0", "70.0"],
        # Anger was not annotated there, and counts in no mean.
        ["eng", "30.0", "10.0", "+20.0", "–", "30.0"],
        ["mean", "45.0", "37.5", "+7.5", "50.0", "50.0"],
    ]


def test_data_that_name_no_language_have_no_table(tmp_path: Path) -> None:
    folders = [write_results(tmp_path / "a", None)]
    assert languages_table(folders, folders, "intensity", "regression") == ""
