"""How much thresholds that are tuned on dev flatter scores on dev, and which calibration helps.

python -m benchmarks.threshold_choice --data_dir DATA

Logistic regressions on the frozen representations of an encoder learn from a sample of the training texts, one sample
per seed. Thresholds per label and calibrations are fitted on their predictions for dev, or for the sample itself out of
fold (five folds). "Other half" tunes on one half of dev and scores the other half, ten times.
"""

import sys
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import TaskDataset, load_task_dataset, stratified_folds, stratified_sample, write_json
from trainers.evaluation import (
    apply_calibration,
    calibration_error,
    fit_calibration,
    reliability,
    score,
    tune_thresholds,
)
from trainers.experiments import markdown_table, mean_and_spread
from trainers.loop import resolve_encoder

from .arguments import benchmark_parser, command_of
from .frozen_vectors import FrozenEncoder
from .report import described

MULTI_LABEL = "multi_label_classification"
# The bundled posts, all of them, and a tenth of E-c.
SAMPLES = {"csr-emotion-posts": 1.0, "semeval2018-ec": 0.1}
FOLDS, HALVINGS = 5, 10
WEIGHTS = ("no", "balanced")
# Metrics, and the kind of thresholds that are tuned for them. The last is per label.
MODES = {"jaccard": "global", "macro_f1": "per_label"}
SOURCES = ("0.5", "dev", "out of fold", "other half of dev")


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, "outputs/threshold_choice")
    args = parser.parse_args(argv)

    with exit_on("threshold_choice", *BAD_INPUT):
        loaded = {name: load_task_dataset(name, data_dir=args.data_dir) for name in SAMPLES}
        encoder = FrozenEncoder(resolve_encoder(args.encoder), args.output_dir / "vectors")
    found = {}
    for name, data in loaded.items():
        for weights in WEIGHTS:
            kind = f"{name}, {weights} class weights"
            found[kind] = [measure(data, encoder, SAMPLES[name], seed, weights) for seed in args.seeds]
    args.results_dir.mkdir(parents=True, exist_ok=True)
    words = ("--encoder", args.encoder, "--seeds", *args.seeds)
    facts = {"folds": FOLDS, "command": command_of("threshold_choice", *words)}
    write_json(args.results_dir / "threshold_choice.json", {**facts, "datasets": found})
    text = f"{tables(found)}\n\n{described(facts)}\n"
    (args.results_dir / "threshold_choice.md").write_text(text, encoding="utf-8")
    print(text)


def measure(data: TaskDataset, encoder: FrozenEncoder, share: float, seed: int, weights: str) -> dict[str, Any]:
    """Scores on dev of thresholds and calibrations that were fitted in different places, for one sample."""
    rows = stratified_sample(data.targets("train"), share, seed)
    gold, dev_gold = data.targets("train")[rows], data.targets("dev")
    groups = np.array(data.row_groups("train"))[rows]
    learnt = encoder(data.splits["train"].select(rows)["text"][:])
    dev = encoder(data.splits["dev"]["text"][:])
    logits, dev_logits = np.zeros(gold.shape), regression_logits(learnt, gold, dev, weights)
    parts = stratified_folds(gold, FOLDS, seed, groups)
    for fold in range(FOLDS):
        held_out = parts == fold
        logits[held_out] = regression_logits(learnt[~held_out], gold[~held_out], learnt[held_out], weights)
    halves = [np.random.default_rng(number).permutation(len(dev)) % 2 for number in range(HALVINGS)]
    scores: dict[str, dict[str, float]] = {metric: {} for metric in MODES}
    for metric, mode in MODES.items():
        chosen = {
            "0.5": None,
            "dev": tune_thresholds(expit(dev_logits), dev_gold, mode),
            "out of fold": tune_thresholds(expit(logits), gold, mode),
        }
        scores[metric] = {
            source: score(dev_logits, dev_gold, MULTI_LABEL, one)[metric] for source, one in chosen.items()
        }
        crossed = [_other_half(dev_logits, dev_gold, half == side, metric) for half in halves for side in (0, 1)]
        scores[metric]["other half of dev"] = float(np.mean(crossed))
    rare = int(np.nansum(dev_gold, axis=0).argmin())
    rarest = {
        source: score(dev_logits[:, [rare]], dev_gold[:, [rare]], MULTI_LABEL, found and [found[rare]])["macro_f1"]
        for source, found in chosen.items()
    }
    kinds = {
        "none": [[1.0, 0.0]] * gold.shape[1],
        "temperature": [temperature(*columns) for columns in zip(logits.T, gold.T, strict=True)],
        "Platt": fit_calibration(logits, gold, MULTI_LABEL),
        "Platt, fitted on dev": fit_calibration(dev_logits, dev_gold, MULTI_LABEL),
    }
    return {
        "texts": len(rows),
        "dev_texts": len(dev),
        "scores": scores,
        "rarest": {"label": data.labels[rare], "positives": int(np.nansum(dev_gold[:, rare])), "f1": rarest},
        "calibration": {kind: errors(dev_logits, dev_gold, found) for kind, found in kinds.items()},
    }


def regression_logits(vectors: np.ndarray, gold: np.ndarray, others: np.ndarray, weights: str) -> np.ndarray:
    """Logits of a logistic regression per label; a label without texts is never given."""
    centre, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    vectors, others = (vectors - centre) / scale, (others - centre) / scale
    logits = np.full((len(others), gold.shape[1]), -9.0)
    for label, column in enumerate(gold.T):
        if len(np.unique(column)) > 1:
            balanced = "balanced" if weights == "balanced" else None
            fitted = LogisticRegression(C=0.003, class_weight=balanced, max_iter=200).fit(vectors, column)
            logits[:, label] = fitted.decision_function(others)
    return logits


def temperature(logits: np.ndarray, gold: np.ndarray) -> list[float]:
    """The slope of a label without an intercept, with the highest likelihood."""

    def loss(log_slope: float) -> float:
        scores = np.exp(log_slope) * logits
        return float((np.logaddexp(0.0, scores) - gold * scores).mean())

    return [float(np.exp(minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded").x)), 0.0]


def errors(logits: np.ndarray, gold: np.ndarray, calibration: list[list[float]]) -> dict[str, float]:
    """Expected calibration error and log loss, as means over the labels."""
    calibrated = apply_calibration(logits, calibration)
    bins = reliability(calibrated, gold, MULTI_LABEL)
    loss = np.logaddexp(0.0, calibrated) - gold * calibrated
    return {
        "calibration_error": float(np.mean([calibration_error(one) for one in bins])),
        "log_loss": float(loss.mean()),
    }


def tables(found: dict[str, list[dict[str, Any]]]) -> str:
    """Scores on dev by where thresholds were chosen, and errors on dev by calibration, as Markdown."""
    chosen, fitted = [], []
    for name, seeds in found.items():
        rarest = seeds[0]["rarest"]
        for source in SOURCES:
            cells = [mean_and_spread([one["scores"][metric][source] for one in seeds]) for metric in MODES]
            cells += [
                mean_and_spread([one["rarest"]["f1"][source] for one in seeds]) if source in rarest["f1"] else "–"
            ]
            chosen.append(
                [f"{name}, {seeds[0]['texts']:,} texts", source, *cells, f"{rarest['label']}, {rarest['positives']}"]
            )
        for kind in seeds[0]["calibration"]:
            values = [one["calibration"][kind] for one in seeds]
            cells = [mean_and_spread([one["calibration_error"] for one in values])]
            fitted.append([name, kind, *cells, f"{np.mean([one['log_loss'] for one in values]):.3f}"])
    return "\n\n".join(
        [
            markdown_table(
                [
                    "training texts",
                    "thresholds from",
                    "Jaccard, one threshold",
                    "macro F1, one per label",
                    "F1, rarest label",
                    "it, dev texts",
                ],
                chosen,
            ),
            markdown_table(["data", "calibration", "expected calibration error x 100", "log loss"], fitted),
        ]
    )


def _other_half(logits: np.ndarray, gold: np.ndarray, half: np.ndarray, metric: str) -> float:
    found = tune_thresholds(expit(logits[half]), gold[half], MODES[metric])
    return score(logits[~half], gold[~half], MULTI_LABEL, found)[metric]


if __name__ == "__main__":
    main(sys.argv[1:])
