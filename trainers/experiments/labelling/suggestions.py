"""Which unlabelled texts to label next: those that a model is unsure of, and that are unlike each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import entr
from sklearn.cluster import KMeans

from .repeats import near_duplicates, same_texts

# How many uncertain texts each suggestion is chosen from, as in the paper.
CANDIDATES = 10
_TINY = 1e-9


@dataclass(frozen=True)
class Suggestion:
    """
    A text to label.

    Args:
        row (`int`): Its row, from 0.
        uncertainty (`float`): How unsure the model is of it, from 0 to 1.
        stands_for (`int`): How many of the uncertain texts are in its cluster, itself among them.
        reason (`str`): Both, in words.
    """

    row: int
    uncertainty: float
    stands_for: int
    reason: str


def suggest_texts(
    texts: Sequence[str],
    probabilities: np.ndarray,
    vectors: np.ndarray,
    labels: Sequence[str],
    several: bool,
    number: int,
    seed: int = 42,
) -> list[Suggestion]:
    """Choose texts to label, by the weighted clustering of Zhdanov 2019, *Diverse Mini-Batch Active Learning*: of the
    `10 * number` texts that the model is least sure of, k-means, weighted by how unsure it is, makes `number` clusters,
    and of each the text next to the centre is chosen.

    Of one label a text, a model is unsure if the two best are close (the margin, which Schröder, Niekler & Potthast
    2022, *Revisiting Uncertainty-based Query Strategies for Active Learning with Transformers*, found best); of
    several, it is as unsure as the mean entropy of the labels says. Of near-duplicates, only the most uncertain is
    considered.

    Args:
        texts (`Sequence[str]`): The unlabelled texts.
        probabilities (`np.ndarray` of shape `(texts, labels)`): The model's.
        vectors (`np.ndarray` of shape `(texts, size)`): By which texts are alike; they are scaled to length 1.
        labels (`Sequence[str]`): Names of the labels.
        several (`bool`): Whether a text may have several.
        number (`int`): How many to choose. There are fewer if there are fewer different texts.
        seed (`int`, defaults to 42): Seed of the clusters.

    Returns:
        `list[Suggestion]`: The most uncertain first.

    Raises:
        ValueError: If there is no choice of labels.
    """
    if len(labels) < 2 and not several:
        raise ValueError(f"The model has a single label, {', '.join(labels)}: it is never unsure.")
    uncertainty = _uncertainty(probabilities, several)
    candidates = _different(texts, np.argsort(-uncertainty, kind="stable"), CANDIDATES * number)
    points = vectors[candidates].astype(np.float64)
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), _TINY)
    clusters = KMeans(min(number, len(candidates)), n_init=3, random_state=seed)
    clusters.fit(points, sample_weight=np.maximum(uncertainty[candidates], _TINY))
    distances = clusters.transform(points)
    found = []
    for cluster in np.unique(clusters.labels_):
        members = np.flatnonzero(clusters.labels_ == cluster)
        row = int(candidates[members[distances[members, cluster].argmin()]])
        unsure = _unsure_of(probabilities[row], labels, several)
        alike = "" if len(members) == 1 else f"; the most typical of {len(members)} such texts that are alike"
        found.append(Suggestion(row, float(uncertainty[row]), len(members), f"{unsure}{alike}"))
    return sorted(found, key=lambda one: -one.uncertainty)


def _different(texts: Sequence[str], rows: np.ndarray, number: int) -> np.ndarray:
    """The first so many rows whose texts are no near-duplicates of earlier ones."""
    alike = same_texts([texts[row] for row in rows])
    # Comparing all of a million texts would take days.
    first = rows[[one[0] for one in alike[: 2 * number]]]
    groups = near_duplicates([texts[row] for row in first]).groups
    return first[np.sort(np.unique(groups, return_index=True)[1])][:number]


def _uncertainty(probabilities: np.ndarray, several: bool) -> np.ndarray:
    """From 0 to 1, of shape `(texts,)`."""
    if several:
        return (entr(probabilities) + entr(1 - probabilities)).mean(axis=1) / np.log(2)
    best = np.sort(probabilities, axis=1)
    return 1 - (best[:, -1] - best[:, -2])


def _unsure_of(probabilities: np.ndarray, labels: Sequence[str], several: bool) -> str:
    """In words."""
    # Those nearest to an even chance, or the two best.
    order = np.argsort(np.abs(probabilities - 0.5) if several else -probabilities, kind="stable")
    named = [f"{labels[label]} ({100 * probabilities[label]:.0f} %)" for label in order[:2]]
    return f"unsure of {' and '.join(named)}" if several else f"undecided between {' and '.join(named)}"


__all__ = ["Suggestion", "suggest_texts"]
