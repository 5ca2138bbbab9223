"""What a model of so many texts scores, and what more of them would bring: cross-validation on frozen vectors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data import stratified_sample
from ...evaluation import HEADLINE, bootstrap_scores
from .frozen_classifier import fit_decisions
from .labelled_texts import LabelledTexts
from .learning_curve import PowerLaw, fit_power_law

FOLDS = 5
# Foldings, each at random. More even out which texts are in a quarter of them.
REPEATS = 5
SHARES = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Estimate:
    """
    A number with its 95 % interval.

    Args:
        value (`float`): The number.
        low, high (`float`): The ends of the interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CurveOfMetric:
    """
    A metric as a function of the number of training texts.

    Args:
        texts (`list[int]`): Numbers of training texts.
        scores (`list[Estimate]`): The score with each, as a fraction.
        law ([`PowerLaw`]): Fitted to the scores.
        now (`Estimate`): What the law gives for all texts, which are more than any fold is trained on.
        later (`Estimate`): What it gives for so many `further` texts more.
        gain (`Estimate`): The difference of these two.
    """

    texts: list[int]
    scores: list[Estimate]
    law: PowerLaw
    now: Estimate
    later: Estimate
    gain: Estimate


@dataclass(frozen=True)
class CrossValidation:
    """
    What [`cross_validate`] returns.

    Args:
        name (`str`): Name of the dataset.
        texts (`int`): How many texts it has.
        further (`int`): How many more the curves go on for.
        curves (`dict[str, CurveOfMetric]`): By metric.
        per_label (`dict[str, Estimate]`): By label, the F1 with all training texts of a fold.
        counts (`dict[str, int]`): By label, how many texts have it.
    """

    name: str
    texts: int
    further: int
    curves: dict[str, CurveOfMetric]
    per_label: dict[str, Estimate]
    counts: dict[str, int]


def cross_validate(
    data: LabelledTexts,
    vectors: np.ndarray,
    further: int = 200,
    repeats: int = REPEATS,
    resamples: int = 1_000,
    seed: int = 42,
) -> CrossValidation:
    """Score a logistic regression on frozen vectors by cross-validation, with all training texts and with parts.

    Each text is decided on by a regression that was fitted without its fold, with a threshold (of several labels a
    text) that was chosen without it. Five folds, drawn anew `repeats` times, hold each label, and no dialogue, writer
    or repeated text twice. The parts of the training texts are stratified and nested.

    Intervals are of the bootstrap over texts: each resample scores all points of the curve, fits a power law to them
    and goes on along it. They say how much depends on which texts were labelled, not whether a power law is right.

    Args:
        data ([`LabelledTexts`]): The texts.
        vectors (`np.ndarray` of shape `(texts, size)`): Their vectors, by an encoder that has not learnt from their
            labels.
        further (`int`, defaults to 200): How many more texts to predict the gain of.
        repeats (`int`, defaults to 5): How often to draw folds.
        resamples (`int`, defaults to 1000): Resamples of the bootstrap.
        seed (`int`, defaults to 42): Seed of folds, parts and resamples.

    Returns:
        [`CrossValidation`].

    Raises:
        ValueError: If there are too few texts for folds.
    """
    decided = [_decisions(data, vectors, data.folds(FOLDS, seed + repeat), seed + repeat) for repeat in range(repeats)]
    # Shares first: `(shares * repeats, texts, ...)`.
    systems = np.stack([one[share] for share in range(len(SHARES)) for one in decided])
    total = len(data.texts)
    sizes = np.array(SHARES) * total * (FOLDS - 1) / FOLDS
    options: dict[str, Any] = {"groups": data.groups, "resamples": resamples, "seed": seed}
    classes: dict[str, Any] = {} if data.several else {"num_labels": len(data.labels)}
    curves = {}
    for metric in HEADLINE[data.problem_type]:
        found, drawn = bootstrap_scores(systems, data.targets, metric, **options, **classes)
        points = found.reshape(len(SHARES), repeats).mean(axis=1)
        resampled = drawn.reshape(resamples, len(SHARES), repeats).mean(axis=2)
        # Of all repeats together, of each, and of the resamples.
        by_repeat = found.reshape(len(SHARES), repeats).T
        laws = [fit_power_law(sizes, one) for one in (points, *by_repeat, *resampled)]
        now, later = (np.array([law(size) for law in laws]) for size in (total, total + further))
        rng = np.random.default_rng(seed)
        curves[metric] = CurveOfMetric(
            [round(size) for size in sizes],
            [_estimate(value, column) for value, column in zip(points, resampled.T, strict=True)],
            laws[0],
            *(_predicted(values, repeats, rng) for values in (now, later, later - now)),
        )
    counts = dict(zip(data.labels, data.counts().tolist(), strict=True))
    per_label = _per_label(data, systems[-repeats:], options)
    return CrossValidation(data.name, total, further, curves, per_label, counts)


def _decisions(data: LabelledTexts, vectors: np.ndarray, folds: np.ndarray, seed: int) -> list[np.ndarray]:
    """For each share of the training texts, what is decided on all texts."""
    decided = [np.zeros(data.targets.shape, dtype=np.int64) for _ in SHARES]
    groups = np.unique(data.groups, return_inverse=True)[1]
    for fold in range(FOLDS):
        held_out, training = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        for found, share in zip(decided, SHARES, strict=True):
            part = training[stratified_sample(np.nan_to_num(data.targets[training]), share, seed)]
            decide = fit_decisions(vectors[part], data.targets[part], groups[part], len(data.labels), seed)
            found[held_out] = decide(vectors[held_out])
    return decided


def _estimate(value: float, drawn: np.ndarray) -> Estimate:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(value), float(low), float(high))


def _predicted(values: np.ndarray, repeats: int, rng: np.random.Generator) -> Estimate:
    """The first of the values, which all repeats gave together; those of each, and of the resamples, are its errors."""
    of_each, resampled = values[1 : repeats + 1], values[repeats + 1 :]
    if repeats > 1:
        # One more training differs from the mean of these as one of them does from the others.
        spread = of_each.std(ddof=1) * np.sqrt(1 + 1 / repeats)
        resampled = resampled + spread * rng.standard_t(repeats - 1, size=len(resampled))
    return _estimate(values[0], resampled)


def _per_label(data: LabelledTexts, systems: np.ndarray, options: dict[str, Any]) -> dict[str, Estimate]:
    several = data.several
    found = {}
    for number, label in enumerate(data.labels):
        given = systems[..., number] if several else (systems == number).astype(np.int64)
        gold = data.targets[:, number] if several else (data.targets == number).astype(np.float64)
        annotated = ~np.isnan(gold)
        if not annotated.any():
            continue
        groups = np.asarray(data.groups)[annotated]
        scores, drawn = bootstrap_scores(
            given[:, annotated, None], gold[annotated, None], "micro_f1", **{**options, "groups": groups}
        )
        found[label] = _estimate(scores.mean(), drawn.mean(axis=1))
    return found


__all__ = ["FOLDS", "REPEATS", "SHARES", "CrossValidation", "CurveOfMetric", "Estimate", "cross_validate"]
