"""Paired significance tests of two systems on the same texts, with several seeds each."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .decisions import multi_hot_masks
from .metric_sums import score_of_sums, text_sums

# Differences that are equal may differ in their last digits, as sums of fractions.
_TOLERANCE = 1e-12

# The most numbers that an array of one chunk of resamples holds: 16 MB.
_CHUNK = 2**21


@dataclass(frozen=True)
class PairedTest:
    """
    The result of [`paired_test`].

    Args:
        metric (`str`): The metric that was compared.
        difference (`float`): The system's score minus the baseline's, averaged over the seeds, as a fraction.
        p_randomization (`float`): Two-sided p-value of the approximate randomisation over texts. It is about these
            particular models: seeds are not resampled.
        p_bootstrap (`float`): Two-sided p-value of the bootstrap over texts and seeds, which is about the training
            method.
        low (`float`): Lower end of the difference's 95 % interval, from the bootstrap.
        high (`float`): Its upper end.
        seeds (`int`): Number of seeds of each system.
        texts (`int`): Number of texts.
        groups (`int`): Number of groups of texts that were drawn as a whole; the number of texts if there are none.
        paired_seeds (`bool`): Whether seed i of one system belongs to seed i of the other.
        resamples (`int`): Number of resamples that each of the two methods drew. No p-value is below
            `1 / (resamples + 1)`.
    """

    metric: str
    difference: float
    p_randomization: float
    p_bootstrap: float
    low: float
    high: float
    seeds: int
    texts: int
    groups: int
    paired_seeds: bool
    resamples: int


def paired_test(
    system: np.ndarray,
    baseline: np.ndarray,
    references: np.ndarray,
    metric: str = "jaccard",
    resamples: int = 10_000,
    seed: int = 0,
    num_labels: int | None = None,
    groups: Sequence[Hashable] | np.ndarray | None = None,
    paired_seeds: bool = False,
) -> PairedTest:
    """Compare two systems, each trained with several seeds, on the same texts.

    Two methods answer two questions:

    - Approximate randomisation (Noreen 1989, Computer-Intensive Methods for Testing Hypotheses; Yeh 2000, More Accurate
      Tests for the Statistical Significance of Result Differences): would these models differ as much if chance chose
      which of the two decides on each text? Each resample swaps the decisions of the two systems on each text with
      probability 1/2. A text is swapped for all seeds at once, and seed i is compared with seed i.
    - The percentile bootstrap over texts (Efron & Tibshirani 1993, An Introduction to the Bootstrap), with the seeds'
      part of the error added: would the difference hold on other texts and with other seeds? Each resample draws texts
      with replacement, the same ones for both systems and all seeds. To its difference it adds the error of a mean over
      so many seeds, drawn from Student's t distribution and scaled by the spread of the seeds' scores: of their
      differences if seeds are paired, else of both systems' scores together. To draw seeds with replacement, as in the
      multi-bootstrap (Sellam et al. 2022, The MultiBERTs), needs more of them: the variance of n drawn ones is
      (n - 1) / n of that of n new ones, and where there is nothing to find, three seeds are then called significant
      twice as often as they should be.

    The first assumes no distribution, the second none of the metric over texts, as F1 and Jaccard require (Dror et al.
    2018, The Hitchhiker's Guide to Testing Statistical Significance in Natural Language Processing). In both, the
    observed data count as one more resample, so no p-value is 0.

    Texts that belong together, such as the utterances of a dialogue, tell less than as many others. With `groups`, both
    methods swap and draw whole groups (the cluster bootstrap; Davison & Hinkley 1997, section 3.8).

    Use `p_bootstrap` for claims about a training method: lucky seeds can make `p_randomization` small where there is
    nothing to find. `p_bootstrap` is rather too large, since the sampling of the texts counts among the seeds as well.
    With one seed, both p-values are about the texts only.

    Args:
        system (`np.ndarray` of shape `(seeds, texts, labels)` or `(seeds, texts)`): The system's decisions, 0 or 1 or
            class ids: for each seed, what [`decide`] returns. For `"pearson"`, its predicted scores.
        baseline (`np.ndarray` of the same shape): The baseline's decisions.
        references (`np.ndarray` of shape `(texts, labels)` or `(texts,)`): 0 or 1, NaN where nobody annotated a
            label; or class ids, none missing. For `"pearson"`, gold scores, NaN where there is none.
        metric (`str`, defaults to `"jaccard"`): `"jaccard"`, `"micro_f1"` or `"macro_f1"` for 0 and 1; `"accuracy"`,
            `"macro_f1"` or `"weighted_f1"` for class ids; `"pearson"` for scores. They are defined as in
            [`MultiLabelMetric`], [`SingleLabelMetric`] and [`RegressionMetric`].
        resamples (`int`, defaults to 10000): Number of resamples that each method draws.
        seed (`int`, defaults to 0): Seed of the resampling.
        num_labels (`int`, *optional*): For class ids, the number of classes. By default the macro F1 is over the
            classes that occur in the references or in any decision.
        groups (`Sequence` of length `texts`, *optional*): What each text belongs to, such as its dialogue.
        paired_seeds (`bool`, defaults to `False`): Whether seed i fixed the same for both systems, such as which texts
            they were trained on.

    Returns:
        [`PairedTest`]: The difference, its two p-values and its interval.

    Raises:
        ValueError: If the shapes do not match, the systems have different numbers of seeds, a value is not a decision,
            the metric does not exist for these decisions, `groups` has another length, or `resamples` is below 1.

    Example:

    ```python
    >>> import numpy as np
    >>> from trainers.evaluation import paired_test

    >>> references = np.tile([0, 1], 50)
    >>> result = paired_test(references[None], np.zeros((1, 100)), references, "accuracy")
    >>> result.difference, result.p_randomization < 0.001
    (0.5, True)
    ```
    """
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}.")
    statistics = text_sums(np.asarray(system), np.asarray(baseline), np.asarray(references), metric, num_labels)
    seeds, texts = statistics.shape[1:3]
    scores = score_of_sums(statistics.sum(axis=2), metric, texts)
    difference = float((scores[0] - scores[1]).mean())
    statistics, sizes = _grouped(statistics, groups)

    # One stream per kind of draw, so that draws do not depend on the size of the chunks.
    swap_stream, text_stream, seed_stream = np.random.default_rng(seed).spawn(3)
    randomized = _randomized(statistics, texts, metric, resamples, swap_stream)
    bootstrapped = _bootstrapped(statistics, sizes, metric, resamples, text_stream)
    bootstrapped += _seed_errors(scores, paired_seeds, resamples, seed_stream)

    as_extreme = int((np.abs(randomized) >= abs(difference) - _TOLERANCE).sum())
    tail = min(int((bootstrapped <= _TOLERANCE).sum()), int((bootstrapped >= -_TOLERANCE).sum()))
    low, high = np.percentile(bootstrapped, [2.5, 97.5])
    return PairedTest(
        metric=metric,
        difference=difference,
        p_randomization=(1 + as_extreme) / (resamples + 1),
        p_bootstrap=min(1.0, 2 * (1 + tail) / (resamples + 1)),
        low=float(low),
        high=float(high),
        seeds=seeds,
        texts=texts,
        groups=len(sizes),
        paired_seeds=paired_seeds,
        resamples=resamples,
    )


def f1_intervals(
    decisions: np.ndarray, references: np.ndarray, resamples: int = 2_000, seed: int = 0
) -> list[tuple[float, float]]:
    """95 % intervals of each label's F1, from the percentile bootstrap over texts (Efron & Tibshirani 1993).

    They show how much the F1 depends on the choice of texts. They say nothing about other training seeds, and for a
    label with a handful of texts they show little more than that there are too few.

    Args:
        decisions (`np.ndarray` of shape `(texts, labels)`): 0 or 1, as [`decide`] returns them.
        references (`np.ndarray` of the same shape): 0 or 1.
        resamples (`int`, defaults to 2000): Number of resamples.
        seed (`int`, defaults to 0): Seed of the resampling.

    Returns:
        `list[tuple[float, float]]`: Lower and upper end, one pair per label.

    Raises:
        ValueError: If the shapes differ, are not matrices or hold no text, a value is neither 0 nor 1, or `resamples`
            is below 1.
    """
    decisions, references = np.asarray(decisions), np.asarray(references)
    if decisions.shape != references.shape or decisions.ndim != 2 or not decisions.size:
        raise ValueError(
            "decisions and references must both be of shape (texts, labels) with at least one text, got "
            f"{decisions.shape} and {references.shape}."
        )
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}.")
    texts, labels = decisions.shape
    given, gold = (mask.astype(np.float64) for mask in multi_hot_masks(decisions=decisions, references=references))
    # F1 is 2 x hits / (given + gold), from sums over the texts; a resample is how often each text is drawn.
    counts = np.concatenate([2 * given * gold, given + gold], axis=1)
    rng = np.random.default_rng(seed)
    scores = np.empty((resamples, labels))
    for index in range(resamples):
        sums = np.bincount(rng.integers(texts, size=texts), minlength=texts) @ counts
        scores[index] = sums[:labels] / np.maximum(sums[labels:], 1)
    low, high = np.percentile(scores, [2.5, 97.5], axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p-values of several tests to control the chance of any false finding among them.

    This is Holm's method (1979, A Simple Sequentially Rejective Multiple Test Procedure), which is valid for dependent
    tests: the smallest of m values is multiplied by m, the next by m - 1 and so on, and none may become smaller than
    the one before it.

    Args:
        p_values (`Sequence[float]`): The p-values.

    Returns:
        `list[float]`: The adjusted p-values, in the same order, at most 1.

    Raises:
        ValueError: If a value is not between 0 and 1.

    Example:

    ```python
    >>> from trainers.evaluation import holm

    >>> holm([0.25, 0.125])
    [0.25, 0.25]
    ```
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p_values must be a list of numbers between 0 and 1, got {p_values}.")
    order = values.argsort()
    adjusted = np.empty_like(values)
    adjusted[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return np.minimum(adjusted, 1.0).tolist()


def _grouped(statistics: np.ndarray, groups: Sequence[Hashable] | np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Statistics summed over the texts of each group, `(2, seeds, groups, statistics, labels)`, and sizes of groups."""
    texts = statistics.shape[2]
    if groups is None:
        return statistics, np.ones(texts)
    if len(groups) != texts:
        raise ValueError(f"groups must name one group for each of the {texts} texts, got {len(groups)}.")
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    of_texts = np.array([numbers[group] for group in groups])
    members = np.zeros((len(numbers), texts))
    members[of_texts, np.arange(texts)] = 1.0
    return np.moveaxis(np.tensordot(members, statistics, axes=(1, 2)), 0, 2), members.sum(axis=1)


def _randomized(
    statistics: np.ndarray, texts: int, metric: str, resamples: int, stream: np.random.Generator
) -> np.ndarray:
    """Differences after random swaps, of shape `(resamples,)`."""
    groups = statistics.shape[2]
    totals = statistics.sum(axis=2)
    # What swapping a group adds to the sums of the system and subtracts from those of the baseline.
    changes = np.moveaxis(statistics[1] - statistics[0], 1, 0)
    by_group = changes.reshape(groups, -1)
    differences = []
    for size in _chunks(resamples, max(by_group.shape)):
        swaps = (stream.random((size, groups)) < 0.5).astype(np.float64)
        changed = (swaps @ by_group).reshape(size, *changes.shape[1:])
        scores = score_of_sums(totals[0] + changed, metric, texts) - score_of_sums(totals[1] - changed, metric, texts)
        differences.append(scores.mean(axis=1))
    return np.concatenate(differences)


def _bootstrapped(
    statistics: np.ndarray, sizes: np.ndarray, metric: str, resamples: int, stream: np.random.Generator
) -> np.ndarray:
    """Differences on groups drawn with replacement, of shape `(resamples,)`."""
    groups = statistics.shape[2]
    by_group = np.moveaxis(statistics, 2, 0)
    flat = by_group.reshape(groups, -1)
    differences = []
    for size in _chunks(resamples, max(flat.shape)):
        # Each row of `cells` is a resample; counting them is much faster than `Generator.multinomial`.
        cells = stream.integers(groups, size=(size, groups)) + groups * np.arange(size)[:, None]
        counts = np.bincount(cells.ravel(), minlength=size * groups).reshape(size, groups).astype(np.float64)
        texts = (counts @ sizes)[:, None, None]
        means = score_of_sums((counts @ flat).reshape(size, *by_group.shape[1:]), metric, texts).mean(axis=2)
        differences.append(means[:, 0] - means[:, 1])
    return np.concatenate(differences)


def _seed_errors(scores: np.ndarray, paired: bool, resamples: int, stream: np.random.Generator) -> np.ndarray:
    """Errors that so few seeds may make in the difference of two means, of shape `(resamples,)`.

    Args:
        scores (`np.ndarray` of shape `(2, seeds)`): The scores of both systems on all texts.
        paired (`bool`): Whether the seeds of both belong together.
        resamples (`int`): How many to draw.
        stream (`np.random.Generator`): Where from.
    """
    seeds = scores.shape[1]
    if seeds == 1:
        return np.zeros(resamples)
    # As many seeds for each system, so that the pooled variance serves even if one varies more than the other.
    parts = scores[:1] - scores[1:] if paired else scores
    variance = parts.var(axis=1, ddof=1).sum() / seeds
    return np.sqrt(variance) * stream.standard_t(len(parts) * (seeds - 1), size=resamples)


def _chunks(resamples: int, width: int) -> Iterator[int]:
    """Sizes of chunks of resamples whose arrays hold at most `_CHUNK` numbers."""
    size = max(1, _CHUNK // width)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


__all__ = ["PairedTest", "f1_intervals", "holm", "paired_test"]
