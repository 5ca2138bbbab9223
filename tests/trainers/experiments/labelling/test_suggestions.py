"""Suggested are texts that a model is unsure of, of every kind of such texts, and none of them twice."""

import numpy as np
import pytest

from trainers.experiments import suggest_texts

LABELS = ["anger", "joy", "sadness"]
# Of each kind, texts that look alike to an encoder, but are not the same.
KINDS = ["the train was late", "rain on the roof", "a letter from home"]


def pool() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Texts that the model is sure of, and three kinds of six that it is unsure of."""
    rng = np.random.default_rng(0)
    texts = [f"{rng.integers(10**9)} sure {rng.integers(10**9)}" for _ in range(40)]
    probabilities, vectors = [[0.97, 0.02, 0.01]] * 40, [rng.normal(size=4) for _ in range(40)]
    for kind, text in enumerate(KINDS):
        for number in range(6):
            texts.append(f"{text}, said {rng.integers(10**9)} of {rng.integers(10**9)}")
            probabilities.append([0.44 + 0.01 * number, 0.42 - 0.01 * number, 0.14])
            vectors.append(5 * np.eye(4)[kind] + 0.05 * rng.normal(size=4))
    return texts, np.array(probabilities), np.array(vectors)


def test_one_of_each_kind_of_uncertain_texts() -> None:
    texts, probabilities, vectors = pool()
    # 3 suggestions are chosen from the 18 that are uncertain, and 12 that are not.
    found = suggest_texts(texts, probabilities, vectors, LABELS, False, 3)
    assert sorted((one.row - 40) // 6 for one in found) == [0, 1, 2]
    assert [one.uncertainty for one in found] == sorted((one.uncertainty for one in found), reverse=True)
    assert found[0].reason.startswith("undecided between anger (4") and "joy (4" in found[0].reason
    assert all(one.stands_for >= 6 and f"of {one.stands_for} such texts" in one.reason for one in found)


def test_uncertainty_of_one_label_is_the_margin() -> None:
    (first, second) = suggest_texts(
        ["a quiet day", "loud music"], np.array([[0.5, 0.3, 0.2], [0.9, 0.1, 0.0]]), np.eye(2), LABELS, False, 2
    )
    assert (first.row, second.row) == (0, 1)
    assert first.uncertainty == pytest.approx(0.8) and second.uncertainty == pytest.approx(0.2)


def test_uncertainty_of_several_labels_is_the_mean_entropy_in_bits() -> None:
    (first, second) = suggest_texts(
        ["a quiet day", "loud music"], np.array([[0.5, 0.0, 1.0], [0.9, 0.9, 0.9]]), np.eye(2), LABELS, True, 2
    )
    entropy = -(0.9 * np.log2(0.9) + 0.1 * np.log2(0.1))
    assert first.uncertainty == pytest.approx(entropy) and second.uncertainty == pytest.approx(1 / 3)
    assert second.reason == "unsure of anger (50 %) and joy (0 %)"


def test_near_duplicates_are_suggested_once() -> None:
    texts = [
        "what a wonderful morning by the sea",
        "What a wonderful morning by the sea!",
        "what a  wonderful morning BY the sea",
    ]
    texts += ["nobody answered the door", "the last bus had gone"]
    probabilities = np.array([[0.5, 0.4, 0.1], [0.45, 0.45, 0.1], [0.5, 0.4, 0.1], [0.6, 0.3, 0.1], [0.7, 0.2, 0.1]])
    found = suggest_texts(texts, probabilities, np.eye(5), LABELS, False, 5)
    # The most uncertain of the three.
    assert [one.row for one in found] == [1, 3, 4]


def test_many_copies_leave_room_for_other_texts() -> None:
    texts = ["the same again"] * 300 + ["nobody answered the door", "the last bus had gone"]
    probabilities = np.array([[0.5, 0.5, 0.0]] * 300 + [[0.6, 0.4, 0.0]] * 2)
    vectors = np.vstack([np.tile([1.0, 0.0, 0.0], (300, 1)), np.eye(3)[1:]])
    assert sorted(one.row for one in suggest_texts(texts, probabilities, vectors, LABELS, False, 3)) == [0, 300, 301]


def test_single_label_leaves_no_choice() -> None:
    with pytest.raises(ValueError, match="a single label, joy: it is never unsure"):
        suggest_texts(["a day"], np.ones((1, 1)), np.ones((1, 2)), ["joy"], False, 1)
