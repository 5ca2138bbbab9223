"""Scores of texts that were not learnt, a power law through them, and what it says of more texts."""

from pathlib import Path

import numpy as np
import pytest

from tests.helpers import tiny_run
from trainers.experiments import LabelledTexts, cross_validate, save_cross_validation
from trainers.experiments.labelling.cross_validation import CrossValidation, _predicted
from trainers.experiments.labelling.frozen_classifier import fit_decisions, fit_probabilities, out_of_fold
from trainers.experiments.labelling.learning_curve import PowerLaw, fit_power_law

LABELS = ["anger", "joy"]


def texts_of(targets: np.ndarray, groups: list[str] | None = None) -> LabelledTexts:
    several = targets.ndim == 2
    texts = [f"text {number}" for number in range(len(targets))]
    problem_type = "multi_label_classification" if several else "single_label_classification"
    rows = list(range(1, len(texts) + 1))
    return LabelledTexts("posts", LABELS, problem_type, texts, targets, ["train"] * len(texts), rows, groups or texts)


# -- the curve ---------------------------------------------------------------------------------------------------------


def test_power_law_is_found_again() -> None:
    sizes, law = np.array([40.0, 80.0, 120.0, 160.0]), PowerLaw(0.8, 1.5, 0.5)
    found = fit_power_law(sizes, law(sizes))
    assert (found.ceiling, found.loss, found.exponent) == pytest.approx((0.8, 1.5, 0.5))
    assert float(found(400)) == pytest.approx(0.8 - 1.5 / 20)


@pytest.mark.parametrize("scores", [[0.5, 0.5, 0.5, 0.5], [0.6, 0.5, 0.4, 0.3]])
def test_scores_that_do_not_grow_promise_nothing(scores: list[float]) -> None:
    law = fit_power_law(np.array([40.0, 80.0, 120.0, 160.0]), np.array(scores))
    assert float(law(1000) - law(200)) == 0.0 and float(law(200)) == pytest.approx(np.mean(scores))


def test_no_score_is_promised_above_one() -> None:
    sizes = np.array([40.0, 80.0, 120.0, 160.0])
    law = fit_power_law(sizes, np.array([0.1, 0.4, 0.7, 0.99]))
    assert law.ceiling == 1.0 and float(law(10**9)) <= 1.0


# -- the classifier ----------------------------------------------------------------------------------------------------


def test_nobody_scores_what_it_has_learnt() -> None:
    rng = np.random.default_rng(0)
    targets = np.arange(60) % 2
    vectors = rng.normal(size=(60, 100))  # nothing to learn, and enough room to learn all of it by heart
    by_heart = fit_probabilities(vectors, targets, 2)(vectors).argmax(axis=1)
    held_out = out_of_fold(vectors, targets, np.arange(60) % 5, 2).argmax(axis=1)
    assert (by_heart == targets).mean() > 0.9 and (held_out == targets).mean() < 0.7


def test_absent_classes_and_constant_labels() -> None:
    vectors = np.random.default_rng(0).normal(size=(10, 3))
    one = fit_probabilities(vectors, np.array([0, 2] * 5), 3)(vectors)
    assert one[:, 1].tolist() == [0.0] * 10 and one.sum(axis=1) == pytest.approx(1.0)
    assert fit_probabilities(vectors, np.ones(10, dtype=np.int64), 3)(vectors).tolist() == [[0.0, 1.0, 0.0]] * 10
    targets = np.stack([np.ones(10), np.zeros(10), np.full(10, np.nan), np.array([0, 1] * 5)], axis=1)
    several = fit_probabilities(vectors, targets, 4)(vectors)
    assert several[:, :3].tolist() == [[1.0, 0.0, 0.0]] * 10 and 0 < several[0, 3] < 1


def test_threshold_is_chosen_where_labels_are_rare() -> None:
    rng = np.random.default_rng(0)
    rare = (np.arange(100) % 10 == 0).astype(np.float64)
    vectors = np.column_stack([rare + 0.4 * rng.normal(size=100), rng.normal(size=100)])
    decided = fit_decisions(vectors, rare[:, None], list(range(100)), 1)(vectors)
    # At 0.5, a regression with this penalty would give the label to hardly any text.
    assert (fit_probabilities(vectors, rare[:, None], 1)(vectors) >= 0.5).sum() < 5 < decided.sum() < 20


# -- both --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found() -> CrossValidation:
    rng = np.random.default_rng(0)
    targets = np.arange(80) % 2
    vectors = np.column_stack([targets + 0.8 * rng.normal(size=80), *rng.normal(size=(20, 80))])
    return cross_validate(texts_of(targets), vectors, further=100, repeats=2, resamples=200)


def test_scores_come_with_their_intervals(found: CrossValidation) -> None:
    curve = found.curves["accuracy"]
    assert list(found.curves) == ["accuracy", "macro_f1", "weighted_f1"]
    assert curve.texts == [16, 32, 48, 64]
    assert all(one.low < one.value < one.high for one in curve.scores)
    assert 0.5 < curve.scores[-1].value < 1.0 and curve.scores[0].value < curve.scores[-1].value
    assert found.counts == {"anger": 40, "joy": 40} and set(found.per_label) == set(LABELS)
    f1 = np.mean([one.value for one in found.per_label.values()])
    assert f1 == pytest.approx(found.curves["macro_f1"].scores[-1].value)


def test_gain_is_what_lies_between_now_and_later(found: CrossValidation) -> None:
    for curve in found.curves.values():
        assert curve.gain.value == pytest.approx(curve.later.value - curve.now.value)
        assert curve.now.value == pytest.approx(float(curve.law(80)))
        assert curve.later.value == pytest.approx(float(curve.law(180)))
        assert curve.gain.low < curve.gain.value < curve.gain.high


def test_predictions_have_the_spread_of_the_repeats() -> None:
    """Two repeats are a standard deviation of .02 / sqrt(2) apart; Student's t of one degree of freedom is 12.7."""
    values = np.concatenate([[0.05, 0.04, 0.06], np.full(20_000, 0.05)])
    found = _predicted(values, 2, np.random.default_rng(0))
    reach = 12.706 * 0.02 / np.sqrt(2) * np.sqrt(1.5)
    assert found.value == 0.05
    assert found.low == pytest.approx(0.05 - reach, rel=0.1) and found.high == pytest.approx(0.05 + reach, rel=0.1)
    assert _predicted(np.array([0.05, 0.05, *np.full(10, 0.05)]), 1, np.random.default_rng(0)).high == 0.05


def test_report_has_the_figures(found: CrossValidation, tmp_path: Path) -> None:
    text = save_cross_validation(found, tmp_path, "an encoder")
    saved = tiny_run.read_json(tmp_path / "cross_validation.json")
    accuracy, gain = saved["curves"]["accuracy"]["scores"][-1], saved["curves"]["macro_f1"]["gain"]
    assert f"| 64 | scored | {100 * accuracy['value']:.1f} ({100 * accuracy['low']:.1f} to " in text
    assert "| 80 | predicted |" in text and "| 180 | predicted |" in text
    assert f"The next 100 labels are likely to bring {100 * gain['value']:.1f} points of macro F1" in text
    assert (tmp_path / "cross_validation.md").read_text(encoding="utf-8") == text
    assert (tmp_path / "learning_curve.png").stat().st_size > 1000


def test_repeated_texts_are_on_one_side() -> None:
    """Each text is there twice, and its vector says nothing else than which text it is."""
    targets = np.repeat(np.random.default_rng(0).integers(0, 2, size=40), 2)
    vectors = np.repeat(np.eye(40), 2, axis=0)
    together = [f"text {number // 2}" for number in range(80)]
    options = {"repeats": 1, "resamples": 10}
    leaking = cross_validate(texts_of(targets), vectors, **options).curves["accuracy"].scores[-1].value
    honest = cross_validate(texts_of(targets, together), vectors, **options).curves["accuracy"].scores[-1].value
    assert leaking > 0.75 and honest < 0.65


def test_several_labels_some_of_which_nobody_annotated() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, size=(40, 2)).astype(np.float64)
    vectors = np.repeat(targets, 8, axis=1) + 0.5 * rng.normal(size=(40, 16))
    targets[::3, 1] = np.nan
    found = cross_validate(texts_of(targets), vectors, repeats=1, resamples=20)
    assert list(found.curves) == ["jaccard", "micro_f1", "macro_f1"]
    assert found.curves["macro_f1"].scores[-1].value > 0.8
    assert found.counts["joy"] == int(np.nansum(targets[:, 1]))
