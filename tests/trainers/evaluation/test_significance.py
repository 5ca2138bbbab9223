"""Paired tests on decisions, worked out by hand and against all swaps and draws."""

import itertools
from dataclasses import FrozenInstanceError, astuple

import numpy as np
import pytest
from scipy import stats

from trainers.evaluation import significance
from trainers.evaluation.metrics import HEADLINE, MultiLabelMetric, SingleLabelMetric
from trainers.evaluation.significance import holm, paired_test

MULTI = HEADLINE["multi_label_classification"]
SINGLE = HEADLINE["single_label_classification"]
ALL = [("multi", metric) for metric in MULTI] + [("single", metric) for metric in SINGLE]


def multi(seeds=3, texts=60, labels=4, errors=(0.2, 0.2), seed=0):
    """Random references, and two systems that turn so many of their labels over."""
    rng = np.random.default_rng(seed)
    gold = (rng.random((texts, labels)) < 0.3).astype(int)
    gold[0] = 0
    systems = [np.where(rng.random((seeds, texts, labels)) < error, 1 - gold, gold) for error in errors]
    systems[0][:, 0] = 0  # a text with neither gold nor predicted labels
    return *systems, gold


def single(seeds=3, texts=60, labels=4, errors=(0.4, 0.4), seed=0):
    rng = np.random.default_rng(seed)
    gold = rng.integers(labels, size=texts)
    guesses = rng.integers(labels, size=(2, seeds, texts))
    wrong = rng.random((2, seeds, texts)) < np.reshape(errors, (2, 1, 1))
    return *np.where(wrong, guesses, gold), gold


def draw(kind, **options):
    return (multi if kind == "multi" else single)(**options)


# Without the Arrow table in between: there are thousands of resamples.
MULTI_LABEL, SINGLE_LABEL = MultiLabelMetric(), SingleLabelMetric()


def score(decisions, references, metric):
    if references.ndim == 2:
        return MULTI_LABEL._compute(decisions, references)[metric]
    return SINGLE_LABEL._compute(decisions, references, 4)[metric]


def mean_score(decisions, references, metric):
    return np.mean([score(one, references, metric) for one in decisions])


def noise(p, resamples):
    """Five standard errors of a share, and the one resample that the observed data count for."""
    return 5 * np.sqrt(p * (1 - p) / resamples) + 2 / resamples


@pytest.mark.parametrize(("kind", "metric"), ALL)
def test_the_difference_is_that_of_the_metrics(kind, metric):
    for seed in range(20):
        system, baseline, gold = draw(kind, errors=(0.2, 0.5), texts=10 + seed, seed=seed)
        if kind == "multi":
            gold[:, 1] = system[:, :, 1] = baseline[:, :, 1] = 0  # a label that never occurs
        expected = mean_score(system, gold, metric) - mean_score(baseline, gold, metric)
        # Where a class id does not occur by chance, the averages still are over all of them.
        classes = {"num_labels": 4} if kind == "single" else {}
        result = paired_test(system, baseline, gold, metric, resamples=1, **classes)
        assert result.difference == pytest.approx(expected, abs=1e-12)
        assert result.difference != 0


def test_classes_are_those_that_occur_unless_they_are_counted():
    # Class 3 is decided once, by the baseline. F1 of the system: 1, 1 and 0 for class 3; baseline: 2/3, 1 and 0.
    gold = np.array([0, 0, 1])
    arguments = gold[None], np.array([[0, 3, 1]]), gold, "macro_f1"
    assert paired_test(*arguments, resamples=1).difference == pytest.approx((2 - 5 / 3) / 3)
    assert paired_test(*arguments, resamples=1, num_labels=5).difference == pytest.approx((2 - 5 / 3) / 5)


@pytest.mark.parametrize(("kind", "metric"), ALL)
def test_identical_systems(kind, metric):
    system, _, gold = draw(kind, seeds=1)
    result = paired_test(system, system, gold, metric, resamples=200)
    assert (result.difference, result.p_randomization, result.p_bootstrap) == (0, 1, 1)
    assert (result.low, result.high) == (0, 0)

    # With several seeds the bootstrap may draw different ones for each, but neither is favoured.
    system, _, gold = draw(kind, seeds=3)
    result = paired_test(system, system, gold, metric, resamples=2000)
    assert (result.difference, result.p_randomization) == (0, 1)
    assert result.p_bootstrap > 0.9
    assert result.low < 0 < result.high


def test_randomization_worked_out_by_hand():
    # Jaccard of the system less that of the baseline, text by text: 1, 1/2, 1, 0. Of the 8 ways to give signs to the
    # first three, only +++ and --- have a sum as far from 0: p = 1/4.
    gold = np.array([[1, 1], [1, 1], [0, 0], [1, 0]])
    system = np.array([[[1, 1], [1, 1], [0, 0], [0, 1]]])
    baseline = np.array([[[0, 0], [1, 0], [0, 1], [0, 0]]])
    result = paired_test(system, baseline, gold, resamples=40_000)
    assert result.difference == pytest.approx(2.5 / 4)
    assert result.p_randomization == pytest.approx(1 / 4, abs=noise(1 / 4, 40_000))


@pytest.mark.parametrize(("paired", "spread", "freedom"), [(False, 2 * 0.16 + 2 * 0.04, 4), (True, 2 * 0.04, 2)])
def test_errors_of_seeds_worked_out_by_hand(paired: bool, spread: float, freedom: int):
    # All texts are of one group, so that only the seeds differ: accuracies of 1.0, 0.6, 0.2 against 0.6, 0.4, 0.2.
    # Their sums of squares are 2 * 0.16 and 2 * 0.04, that of the differences 0.4, 0.2 and 0.0 is 2 * 0.04.
    gold = np.zeros(5, dtype=int)
    system = (np.arange(5) >= np.array([[5], [3], [1]])).astype(int)
    baseline = (np.arange(5) >= np.array([[3], [2], [1]])).astype(int)
    groups = ["one dialogue"] * 5
    result = paired_test(system, baseline, gold, "accuracy", resamples=100_000, groups=groups, paired_seeds=paired)
    error = np.sqrt(spread / 2 / 3)
    expected = 2 * stats.t.sf(0.2 / error, freedom)
    assert (result.groups, result.paired_seeds) == (1, paired)
    assert result.p_bootstrap == pytest.approx(expected, abs=2 * noise(expected / 2, 100_000))
    width = stats.t.ppf(0.975, freedom) * error
    assert (result.low, result.high) == pytest.approx((0.2 - width, 0.2 + width), abs=0.05 * width)


@pytest.mark.parametrize(("kind", "metric"), ALL)
def test_a_text_that_is_there_twice_tells_no_more(kind, metric):
    system, baseline, gold = draw(kind, seeds=1, errors=(0.2, 0.3))
    once = paired_test(system, baseline, gold, metric, resamples=4000)
    twice = [np.concatenate([part, part], axis=axis) for part, axis in ((system, 1), (baseline, 1), (gold, 0))]
    grouped = paired_test(*twice, metric, resamples=4000, groups=[*range(len(gold))] * 2)
    assert (grouped.texts, grouped.groups) == (2 * len(gold), len(gold))
    assert grouped.difference == pytest.approx(once.difference)
    assert (grouped.p_randomization, grouped.p_bootstrap) == (once.p_randomization, once.p_bootstrap)
    assert (grouped.low, grouped.high) == pytest.approx((once.low, once.high))
    alone = paired_test(*twice, metric, resamples=4000)
    assert alone.high - alone.low < 0.8 * (grouped.high - grouped.low)


@pytest.mark.parametrize(("kind", "metric"), ALL)
def test_randomization_against_all_swaps(kind, metric):
    system, baseline, gold = draw(kind, seeds=2, texts=6, errors=(0.2, 0.6), seed=3)
    observed = abs(mean_score(system, gold, metric) - mean_score(baseline, gold, metric))
    extreme = []
    for swap in itertools.product([False, True], repeat=6):
        # On a text, the decisions of both seeds are swapped together.
        mask = np.reshape(swap, (1, 6) + (1,) * (gold.ndim - 1))
        one, other = np.where(mask, baseline, system), np.where(mask, system, baseline)
        extreme.append(abs(mean_score(one, gold, metric) - mean_score(other, gold, metric)) >= observed - 1e-9)
    expected = np.mean(extreme)
    assert 0.02 < expected < 0.9
    result = paired_test(system, baseline, gold, metric, resamples=40_000)
    assert result.p_randomization == pytest.approx(expected, abs=noise(expected, 40_000))


@pytest.mark.parametrize(("kind", "metric"), ALL)
def test_bootstrap_against_all_draws(kind, metric):
    system, baseline, gold = draw(kind, seeds=1, texts=5, errors=(0.2, 0.5), seed=27)
    differences = []
    for texts in itertools.product(range(5), repeat=5):
        rows = list(texts)
        ours, theirs = (score(one[0][rows], gold[rows], metric) for one in (system, baseline))
        differences.append(ours - theirs)
    differences = np.array(differences)
    tail = min((differences <= 1e-9).mean(), (differences >= -1e-9).mean())
    assert 0.02 < tail < 0.48
    result = paired_test(
        system, baseline, gold, metric, resamples=40_000, **({"num_labels": 4} if kind == "single" else {})
    )
    assert result.p_bootstrap == pytest.approx(2 * tail, abs=2 * noise(tail, 40_000))
    # No more than 2.5 % lies outside either end, and no less on it or outside.
    slack = noise(0.025, 40_000)
    assert (differences < result.low - 1e-9).mean() <= 0.025 + slack
    assert (differences <= result.low + 1e-9).mean() >= 0.025 - slack
    assert (differences > result.high + 1e-9).mean() <= 0.025 + slack
    assert (differences >= result.high - 1e-9).mean() >= 0.025 - slack


@pytest.mark.parametrize(("kind", "metric"), ALL)
def test_swapping_the_systems_turns_the_result_over(kind, metric):
    for seeds in (1, 3):
        system, baseline, gold = draw(kind, seeds=seeds, errors=(0.2, 0.3))
        one = paired_test(system, baseline, gold, metric, resamples=4000)
        other = paired_test(baseline, system, gold, metric, resamples=4000)
        assert other.difference == pytest.approx(-one.difference, abs=1e-12)
        assert other.p_randomization == one.p_randomization
        # Each system draws its own seeds: with one seed the resamples are the same, with three they are not.
        slack, width = (1e-12, 1e-12) if seeds == 1 else (0.05, 0.1 * (one.high - one.low))
        assert other.p_bootstrap == pytest.approx(one.p_bootstrap, abs=slack)
        assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=width)


@pytest.mark.parametrize(("kind", "metric"), ALL)
def test_the_order_of_the_texts_does_not_matter(kind, metric):
    system, baseline, gold = draw(kind, errors=(0.2, 0.28))
    order = np.random.default_rng(5).permutation(len(gold))
    one = paired_test(system, baseline, gold, metric, resamples=4000)
    other = paired_test(system[:, order], baseline[:, order], gold[order], metric, resamples=4000)
    assert other.difference == pytest.approx(one.difference, abs=1e-12)
    assert other.p_randomization == pytest.approx(one.p_randomization, abs=0.05)
    assert other.p_bootstrap == pytest.approx(one.p_bootstrap, abs=0.09)
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.1 * (one.high - one.low))


def test_a_text_pairs_the_systems():
    # The systems differ on few texts only. Taken one by one, each text shows which is better; the texts themselves
    # are much more different, and a test that drew them for each system apart would find nothing.
    rng = np.random.default_rng(0)
    gold = np.zeros(400, dtype=int)
    baseline = (rng.random((1, 400)) < 0.5).astype(int)
    system = baseline.copy()
    system[0, np.flatnonzero(baseline[0])[:12]] = 0
    result = paired_test(system, baseline, gold, "accuracy", resamples=4000)
    assert result.difference == pytest.approx(0.03)
    assert result.p_randomization < 0.01
    assert result.p_bootstrap < 0.01


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize(("kind", "metric"), ALL)
def test_a_clearly_better_system(kind, metric, seeds):
    system, baseline, gold = draw(kind, seeds=seeds, texts=150, errors=(0.1, 0.5))
    result = paired_test(system, baseline, gold, metric, resamples=1000)
    assert result.p_randomization == 1 / 1001
    assert result.p_bootstrap == 2 / 1001 if seeds == 1 else result.p_bootstrap < 0.01
    assert 0 < result.low < result.difference < result.high < 1
    assert (result.metric, result.seeds, result.texts, result.resamples) == (metric, seeds, 150, 1000)


@pytest.mark.parametrize(("kind", "metric"), ALL)
def test_p_is_uniform_where_there_is_nothing_to_find(kind, metric):
    results = [
        paired_test(*draw(kind, seeds=1, texts=40, seed=seed), metric, resamples=199, seed=seed) for seed in range(200)
    ]
    for name in ("p_randomization", "p_bootstrap"):
        p_values = np.array([getattr(result, name) for result in results])
        assert 0.03 < (p_values < 0.1).mean() < 0.2
        assert 0.35 < (p_values < 0.5).mean() < 0.65
    # Of as many 95 % intervals, most hold the truth.
    assert 0.88 < np.mean([result.low <= 0 <= result.high for result in results]) < 0.99


def test_the_bootstrap_counts_seeds_that_differ():
    # Seeds of the system are right on 50 % or 90 % of the texts, of the baseline on 50 %: lucky seeds, no better way.
    rng = np.random.default_rng(1)
    gold = np.zeros(300, dtype=int)
    system = (rng.random((3, 300)) > np.array([[0.5], [0.5], [0.9]])).astype(int)
    baseline = (rng.random((3, 300)) > 0.5).astype(int)
    together = paired_test(system, baseline, gold, "accuracy", resamples=2000)
    alone = paired_test(system[2:], baseline[2:], gold, "accuracy", resamples=2000)
    assert together.p_randomization < 0.01
    assert together.p_bootstrap > 0.1
    assert alone.p_bootstrap < 0.01
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_the_seed_of_the_resampling():
    arguments = multi(errors=(0.2, 0.25))
    first = paired_test(*arguments, resamples=500)
    assert paired_test(*arguments, resamples=500, seed=0) == first
    other = paired_test(*arguments, resamples=500, seed=1)
    assert other.difference == first.difference
    assert (other.low, other.high) != (first.low, first.high)


@pytest.mark.parametrize("metric", MULTI)
def test_the_size_of_the_chunks_does_not_matter(metric, monkeypatch):
    arguments = multi(errors=(0.2, 0.25))
    whole = paired_test(*arguments, metric, resamples=501)
    for numbers in (1, 60 * 100):  # one resample a chunk; a last chunk that is not full
        monkeypatch.setattr(significance, "_CHUNK", numbers)
        assert astuple(paired_test(*arguments, metric, resamples=501))[1:] == pytest.approx(astuple(whole)[1:])


def test_decisions_may_be_floats_or_booleans():
    system, baseline, gold = multi(errors=(0.2, 0.25))
    expected = paired_test(system, baseline, gold, resamples=100)
    assert paired_test(system == 1, baseline == 1, gold.astype(np.float32), resamples=100) == expected


def test_results_are_plain_numbers_and_frozen():
    result = paired_test(*multi(), resamples=10)
    assert [type(value) for value in astuple(result)] == [str, *5 * [float], int, int, int, bool, int]
    with pytest.raises(FrozenInstanceError):
        result.p_bootstrap = 0.0


SYSTEM, BASELINE, GOLD = multi(texts=5)
IDS, BASELINE_IDS, GOLD_IDS = single(texts=5)
OF_IDS = {"system": IDS, "baseline": BASELINE_IDS, "references": GOLD_IDS, "metric": "accuracy"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resamples": 0}, "resamples must be at least 1, got 0"),
        ({"metric": "f1"}, "metric must be one of jaccard, micro_f1, macro_f1 .* 0 and 1, got 'f1'"),
        ({"metric": "accuracy"}, "metric must be one of jaccard, .* got 'accuracy'"),
        ({**OF_IDS, "metric": "jaccard"}, "metric must be one of accuracy, macro_f1, weighted_f1 .* class ids, got"),
        ({"references": GOLD[None]}, r"references must be of shape .* got \(1, 5, 4\)"),
        ({"references": np.zeros((0, 4))}, r"references must be .* at least one text; got \(0, 4\)"),
        ({"system": SYSTEM[0]}, r"system must be of shape \(seeds, 5, 4\).* got \(5, 4\).*system\[None\]"),
        ({"baseline": BASELINE[:, :4]}, r"baseline must be of shape \(seeds, 5, 4\).* got \(3, 4, 4\)"),
        ({"baseline": BASELINE[:, :, :3]}, r"baseline must be of shape \(seeds, 5, 4\).* got \(3, 5, 3\)"),
        ({"system": SYSTEM[:0]}, r"system must be .* at least one seed; got \(0, 5, 4\)"),
        ({**OF_IDS, "system": IDS[:, :3]}, r"system must be of shape \(seeds, 5\).* got \(3, 3\)"),
        ({"baseline": BASELINE[:2]}, "system has 3 seeds but baseline has 2.*Train the seeds that are missing"),
        ({"system": SYSTEM * 0.7}, "system must be 0 or 1, got 0.7; decide first"),
        ({"baseline": BASELINE * 2}, "baseline must be 0 or 1, got 2"),
        ({"references": np.where(GOLD == 1, 1.0, np.nan)}, "references hold a text that is not labelled; drop texts"),
        ({**OF_IDS, "references": np.array([0, 1, -100, 2, 3])}, "references holds -100, which is no class id; drop"),
        ({**OF_IDS, "system": np.where(IDS == 0, np.nan, IDS)}, "system holds nan, which is no class id"),
        ({**OF_IDS, "baseline": BASELINE_IDS + 4, "num_labels": 4}, "baseline holds [4-7], which is no class id"),
        ({"num_labels": 4}, "num_labels is for class ids"),
        ({"groups": ["a", "b"]}, "groups must name one group for each of the 5 texts, got 2"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        paired_test(**{"system": SYSTEM, "baseline": BASELINE, "references": GOLD, "resamples": 10, **arguments})


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        # In order: 0.005 * 4, 0.01 * 3, 0.03 * 2, and 0.04 * 1, which must not be less than 0.06.
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.02, 0.02, 0.5], [0.06, 0.06, 0.5]),
        ([0.6, 0.9], [1.0, 1.0]),
        ([0.04], [0.04]),
        ([], []),
    ],
)
def test_holm_worked_out_by_hand(p_values, expected):
    adjusted = holm(p_values)
    assert adjusted == pytest.approx(expected)
    assert {type(value) for value in adjusted} <= {float}


@pytest.mark.parametrize("p_values", [[0.1, 1.2], [-0.1], [0.1, float("nan")], [[0.1, 0.2]]])
def test_holm_refuses(p_values):
    with pytest.raises(ValueError, match="p_values must be a list of numbers between 0 and 1"):
        holm(p_values)
