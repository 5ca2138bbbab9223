"""Scores of systems on resampled texts, for intervals of whatever is computed from them."""

from collections.abc import Hashable, Sequence

import numpy as np

from .metric_sums import score_of_sums, text_sums


def bootstrap_scores(
    decisions: np.ndarray,
    references: np.ndarray,
    metric: str,
    *,
    groups: Sequence[Hashable] | np.ndarray | None = None,
    resamples: int = 1_000,
    seed: int = 0,
    num_labels: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Scores on the texts, and on texts drawn with replacement, the same ones for all systems (Efron & Tibshirani 1993,
    An Introduction to the Bootstrap). Texts of a group are drawn together.

    Args:
        decisions (`np.ndarray` of shape `(systems, texts, labels)` or `(systems, texts)`): 0 and 1, or class ids.
        references (`np.ndarray` of shape `(texts, labels)` or `(texts,)`): As in [`paired_test`], and so are `metric`,
            `num_labels` and `groups`.
        resamples (`int`, defaults to 1000): How often to draw.
        seed (`int`, defaults to 0): Seed of the drawing.

    Returns:
        `tuple[np.ndarray, np.ndarray]`: Scores as fractions, `(systems,)` and `(resamples, systems)`.

    Raises:
        ValueError: If the arrays do not fit each other or the metric, or `resamples` is below 1.
    """
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}.")
    # Sums of two systems at a time are what there is; here they are the same one.
    sums = text_sums(decisions, decisions, references, metric, num_labels)[0]
    texts = len(references)
    if groups is not None and len(groups) != texts:
        raise ValueError(f"groups must name one group for each of the {texts} texts, got {len(groups)}.")
    members = np.arange(texts) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    by_group = np.zeros((members.max() + 1, len(sums), *sums.shape[2:]))
    np.add.at(by_group, members, np.moveaxis(sums, 1, 0))
    sizes = np.bincount(members)
    rng, drawn = np.random.default_rng(seed), np.empty((resamples, len(sums)))
    for number in range(resamples):
        counts = np.bincount(rng.integers(len(sizes), size=len(sizes)), minlength=len(sizes))
        drawn[number] = score_of_sums(np.tensordot(counts, by_group, axes=1), metric, int(counts @ sizes))
    return score_of_sums(sums.sum(axis=1), metric, texts), drawn


__all__ = ["bootstrap_scores"]
