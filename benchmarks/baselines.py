"""TF-IDF with logistic regression: the simple baseline for a text classification dataset.

python -m benchmarks.baselines --data_dir DATA --datasets dair-emotion goemotions

Regularisation strength, class weights and (for multi-label data) a threshold are chosen on dev, which flatters the
baseline. Results of other datasets are kept.
"""

import json
import sys
import time
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import TaskDataset, load_task_dataset, write_json
from trainers.evaluation import HEADLINE, score, tune_thresholds
from trainers.experiments import markdown_table

from .arguments import benchmark_parser, command_of

SETTINGS = tuple(product((1.0, 3.0, 10.0, 30.0), (None, "balanced")))


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--datasets", nargs="+", default=["dair-emotion"], help="Registered names, files or Hub ids.")
    args = parser.parse_args(argv)

    with exit_on("baselines", *BAD_INPUT):
        loaded = {name: load_task_dataset(name, data_dir=args.data_dir) for name in args.datasets}
    args.results_dir.mkdir(parents=True, exist_ok=True)
    path = args.results_dir / "baselines.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name, dataset in loaded.items():
        results[name] = baseline(dataset)
        write_json(path, results)
        (args.results_dir / "baselines.md").write_text(table(results), encoding="utf-8")
    print(table(results))


def baseline(dataset: TaskDataset) -> dict[str, Any]:
    """Dev scores of the best setting, and of all settings."""
    started = time.perf_counter()
    vectorizer = words_and_pairs()
    features = [vectorizer.fit_transform(dataset.splits["train"]["text"])]
    features.append(vectorizer.transform(dataset.splits["dev"]["text"]))
    # One against the rest: with this many columns, other solvers take minutes.
    _, found = best_regression(dataset, *features, seconds=time.perf_counter() - started, solver="liblinear")
    sizes = {split: len(dataset.splits[split]) for split in ("train", "dev")}
    return {"problem_type": dataset.problem_type, "texts": sizes, **found}


def words_and_pairs() -> TfidfVectorizer:
    """TF-IDF of words and pairs of words."""
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)


def best_regression(
    dataset: TaskDataset,
    features: Any,
    dev_features: Any,
    settings: Sequence[tuple[float, str | None]] = SETTINGS,
    seconds: float = 0.0,
    **options: Any,
) -> tuple[OneVsRestClassifier, dict[str, Any]]:
    """Fit logistic regressions, one of each label, and keep the best on dev.

    Args:
        dataset (`TaskDataset`): With the labels of `train` and `dev`.
        features, dev_features (`np.ndarray` or sparse matrix of shape `(texts, size)`): Features of their texts.
        settings (`Sequence`): Inverse strength of the penalty, and class weights, of each regression.
        seconds (`float`): What the features took, which is added to the time of each.
        **options: Options of all of them.

    Returns:
        The regressions, and a `dict` of the setting, `threshold` (of several labels), `metrics`, and all that was
        `tried`.
    """
    labels, references = (np.asarray(dataset.splits[split]["labels"]) for split in ("train", "dev"))
    multi_label = dataset.problem_type == "multi_label_classification"
    first = HEADLINE[dataset.problem_type][0]
    best: dict[str, Any] = {}
    kept = None
    tried = []
    for strength, weights in settings:
        started = time.perf_counter() - seconds
        model = OneVsRestClassifier(LogisticRegression(C=strength, class_weight=weights, **options))
        logits = np.asarray(model.fit(features, labels).decision_function(dev_features))
        if not multi_label and logits.ndim == 1:
            # For two classes, scikit-learn only scores the second.
            logits = np.stack([-logits, logits], axis=1)
        thresholds = tune_thresholds(expit(logits), references, "global") if multi_label else None
        metrics = score(logits, references, dataset.problem_type, thresholds)
        setting = {"C": strength, "class_weight": weights, "seconds": round(time.perf_counter() - started, 1)}
        tried.append({**setting, first: metrics[first]})
        if not best or metrics[first] > best["metrics"][first]:
            best, kept = {**setting, "threshold": thresholds[0] if thresholds else None, "metrics": metrics}, model
    return kept, {**best, "tried": tried}


def table(results: dict[str, dict[str, Any]]) -> str:
    lines = [
        "TF-IDF of words and pairs of words with logistic regression: dev scores x 100, the best of "
        f"{len(SETTINGS)} settings on dev.",
        "",
    ]
    rows = []
    for name, found in results.items():
        metrics = HEADLINE[found["problem_type"]]
        scores = ", ".join(f"{metric.replace('_', ' ')} {100 * found['metrics'][metric]:.1f}" for metric in metrics)
        threshold = "–" if found["threshold"] is None else f"{found['threshold']:.2f}"
        sizes = f"{found['texts']['train']:,} / {found['texts']['dev']:,}"
        cells = [name, sizes, scores, f"{found['C']:g}", found["class_weight"] or "none", threshold, found["seconds"]]
        rows.append(cells)
    lines.append(markdown_table(["dataset", "train / dev", "scores", "C", "class weights", "threshold", "s"], rows))
    return "\n".join([*lines, "", f"- command: {command_of('baselines', '--datasets', *results)}", ""])


if __name__ == "__main__":
    main(sys.argv[1:])
