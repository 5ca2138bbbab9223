"""Settings of transfer across languages, on invented vectors; finished ones are not measured again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import languages
from benchmarks.brighter_emotions import EMOTIONS, GROUPS
from benchmarks.frozen_vectors import FrozenEncoder
from benchmarks.joint_regression import joint_regression
from benchmarks.languages import Settings
from benchmarks.vector_regression import Texts


def texts_of(seed: int, size: int) -> Texts:
    """Vectors whose first features tell the emotions, alike in all languages; the last emotion is not annotated in
    every third one."""
    rng = np.random.default_rng(seed)
    targets = (rng.random((size, 6)) < 0.4).astype(np.float32)
    vectors = np.concatenate([4 * targets - 2, np.zeros((size, 6))], axis=1) + rng.normal(size=(size, 12))
    if seed % 3 == 0:
        targets[:, -1] = np.nan
    return Texts(vectors.astype(np.float32), targets)


def test_settings_find_what_languages_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, dev = ({f"l{seed}": texts_of(seed + add, 120) for seed in (1, 2, 3)} for add in (0, 30))
    monkeypatch.setattr(languages, "FOLDS", 2)
    scores: dict[str, Any] = {
        **languages.own_regressions(train, dev),
        "joint": joint_regression(train, dev),
        **languages.one_space(train, dev, [1], tmp_path),
        **languages.from_others(train, dev, 1, tmp_path),
        **languages.from_english([texts_of(7, 300)], dev, 1, tmp_path),
    }
    assert set(scores) == set(languages.SETTINGS)
    assert all(set(found) == set(train) for found in scores.values())
    assert min(scores["own"].values()) > 0.85
    assert min(scores["joint"].values()) > 0.7  # three languages share weights that are shrunk for many
    texts = {one: [120, 120] for one in train}
    shown = languages.table({"scores": scores, "texts": texts, "seconds": {"own": 1}, "seeds": [1]}, "command")
    assert shown.count("\n| l") == 4 and "| mean |" in shown and "Wilcoxon" in shown


def test_finished_settings_are_kept(tmp_path: Path) -> None:
    measured: list[str] = []

    def measure() -> dict[str, dict[str, Any]]:
        measured.append("own")
        return {"own": {"deu": 0.5}}

    for options in ({"train_texts": 5}, {"train_texts": 5}, {"train_texts": 6}):
        done = Settings(tmp_path, options)
        done.run("own", measure)
        assert done.scores() == {"own": {"deu": 0.5}}
    assert len(measured) == 2  # other options, other results


def test_vectors_are_read_once_and_do_not_depend_on_padding(tmp_path: Path, tiny_encoder: Any) -> None:
    texts = ["good", "so good a day, is it not", "it"]
    encode = FrozenEncoder(tiny_encoder("bert"), tmp_path, max_length=16, batch_size=3)
    vectors = encode(texts)
    alone = FrozenEncoder(tiny_encoder("bert"), tmp_path / "alone", max_length=16)
    np.testing.assert_allclose(vectors, np.concatenate([alone([text]) for text in texts]), atol=1e-6)
    again = FrozenEncoder(tiny_encoder("bert"), tmp_path, max_length=16)
    np.testing.assert_array_equal(again(texts), vectors)
    assert "model" not in vars(again)  # nothing was left to encode
    assert not np.allclose(FrozenEncoder(tiny_encoder("bert"), tmp_path, "so ", max_length=16)(texts), vectors)


def test_emotions_are_those_of_brighter() -> None:
    assert tuple(GROUPS) == EMOTIONS
