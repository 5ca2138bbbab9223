"""Calibration errors by hand, and calibrations that find what was done to the probabilities."""

import numpy as np
import pytest
import torch
from scipy.special import expit, logit, softmax

from modeling_csr.classifier_head import ClassifierHead
from trainers.evaluation.calibration import (
    ReliabilityBin,
    apply_calibration,
    calibration_error,
    fit_calibration,
    reliability,
)

MULTI, SINGLE = "multi_label_classification", "single_label_classification"
NAN = float("nan")


def drawn(texts: int = 20_000, labels: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels that are gold as often as these say."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 1.5, (texts, labels))
    return logits, (rng.random(logits.shape) < expit(logits)).astype(float)


# -- errors ----------------------------------------------------------------------------------------------------------


def test_error_by_hand() -> None:
    # Two texts at .25 and .21, of which one is gold, two at .95; that at 1.0 belongs to the last bin, too.
    probabilities = np.array([0.25, 0.21, 0.95, 1 - 1e-12])
    ((low, high),) = reliability(logit(probabilities)[:, None], np.array([[1.0], [0.0], [1.0], [0.0]]), MULTI)
    assert (low.probability, low.frequency, low.texts) == pytest.approx((0.23, 0.5, 2))
    assert (high.probability, high.frequency, high.texts) == pytest.approx((0.975, 0.5, 2))
    assert calibration_error([low, high]) == pytest.approx((0.27 + 0.475) / 2)
    assert calibration_error([ReliabilityBin(0.5, 0.0, 3), ReliabilityBin(0.9, 0.9, 1)]) == pytest.approx(0.375)
    assert calibration_error([]) == 0


def test_what_nobody_annotated_is_left_out() -> None:
    logits, gold = drawn(200)
    masked = gold.copy()
    masked[::2, 0] = NAN
    assert reliability(logits, masked, MULTI) == [
        *reliability(logits[1::2, :1], gold[1::2, :1], MULTI),
        *reliability(logits[:, 1:], gold[:, 1:], MULTI),
    ]
    assert fit_calibration(logits, masked, MULTI)[0] == fit_calibration(logits[1::2], gold[1::2], MULTI)[0]
    masked[:, 0] = NAN
    assert reliability(logits, masked, MULTI)[0] == []
    assert fit_calibration(logits, masked, MULTI)[0] == [1, 0]


def test_classes_are_compared_with_all_others() -> None:
    logits = np.log([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1]])
    first, second, third = reliability(logits, np.array([0, 1]), SINGLE)
    assert [calibration_error(bins) for bins in (first, second, third)] == pytest.approx([0.3, 0.4, 0.1])


# -- calibrations ----------------------------------------------------------------------------------------------------


def test_right_probabilities_stay() -> None:
    logits, gold = drawn()
    for slope, intercept in fit_calibration(logits, gold, MULTI):
        assert slope == pytest.approx(1, abs=0.05) and intercept == pytest.approx(0, abs=0.05)


def test_what_was_done_to_logits_is_undone() -> None:
    logits, gold = drawn()
    wrong = 3 * logits + [1.0, -2.0]
    calibration = fit_calibration(wrong, gold, MULTI)
    assert np.array(calibration) == pytest.approx(np.array([[1 / 3, -1 / 3], [1 / 3, 2 / 3]]), abs=0.05)
    before, after = (
        [calibration_error(bins) for bins in reliability(values, gold, MULTI)]
        for values in (wrong, apply_calibration(wrong, calibration))
    )
    assert max(after) < 0.02 < min(before)


def test_one_temperature_for_classes() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (20_000, 3))
    classes = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((len(logits), 1))).sum(axis=1)
    calibration = fit_calibration(4 * logits, classes, SINGLE)
    assert calibration == [[pytest.approx(0.25, abs=0.02), 0.0]] * 3
    assert calibration[0] == calibration[1] == calibration[2]


def test_few_texts_do_not_make_it_certain() -> None:
    # All texts above the middle are gold, which a slope without end would fit best.
    logits = np.linspace(-2, 2, 20)[:, None]
    ((slope, intercept),) = fit_calibration(logits, (logits > 0).astype(float), MULTI)
    highest = expit(slope * 2 + intercept)
    assert 0.8 < highest < 0.999
    assert fit_calibration(logits, np.zeros_like(logits), MULTI) == [[1, 0]]


def test_the_order_of_texts_never_turns_round() -> None:
    logits, gold = drawn(500)
    for slope, _ in fit_calibration(-logits, gold, MULTI):
        assert slope > 0
    ((slope, _), *_) = fit_calibration(-logits, gold.argmax(axis=1), SINGLE)
    assert slope > 0


@pytest.mark.parametrize(
    ("logits", "references", "problem_type", "match"),
    [
        (np.zeros((2, 2)), np.zeros((2, 2)), "regression", "no probabilities"),
        (np.zeros((0, 2)), np.zeros((0, 2)), MULTI, "at least one text"),
        (np.zeros((2, 2)), np.zeros(2), MULTI, r"of shape \(2, 2\)"),
        (np.zeros((2, 2)), np.array([0, 2]), SINGLE, "class ids"),
        (np.zeros((2, 2)), np.array([0, -100]), SINGLE, "class ids"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    logits: np.ndarray, references: np.ndarray, problem_type: str, match: str
) -> None:
    for measure in (fit_calibration, reliability):
        with pytest.raises(ValueError, match=match):
            measure(logits, references, problem_type)


# -- as models apply it ----------------------------------------------------------------------------------------------


def test_probabilities_are_calibrated_as_logits_are() -> None:
    logits, _ = drawn(50)
    calibration = [[0.3, -1.0], [2.0, 0.5]]
    head = ClassifierHead(["joy", "fear"], MULTI, [0.2, 0.6], calibration)
    found = head.calibrated(torch.from_numpy(expit(logits)))
    np.testing.assert_allclose(found.numpy(), expit(apply_calibration(logits, calibration)))
    # Each text stays on its side of the thresholds.
    reached = found.numpy() >= head.calibrated_thresholds()
    assert (reached == (expit(logits) >= head.thresholds)).all() and 0 < reached.mean() < 1
    ends = head.calibrated(torch.tensor([[0.0, 1.0]]))
    assert ends.tolist() == [[0, 1]]


def test_classes_keep_their_order_under_a_temperature() -> None:
    logits = np.random.default_rng(0).normal(size=(50, 3))
    head = ClassifierHead(["a", "b", "c"], SINGLE, [0.5] * 3, [[0.4, 0.0]] * 3)
    found = head.calibrated(torch.from_numpy(softmax(logits, axis=1))).numpy()
    np.testing.assert_allclose(found, softmax(0.4 * logits, axis=1))
    assert (found.argsort(axis=1) == logits.argsort(axis=1)).all()
