"""Labels and intensities on invented vectors, and how scores of languages are put side by side."""

from pathlib import Path

import datasets
import numpy as np
import pytest
import torch

from benchmarks import intensities
from benchmarks.intensities import AllTexts, outputs
from benchmarks.vector_heads import VectorHeads
from trainers.data import TaskDataset

NAN = float("nan")
TASKS = {
    "emotion": {"labels": ["anger", "joy"], "problem_type": "multi_label_classification"},
    "intensity": {"labels": ["anger", "joy"], "problem_type": "regression"},
}


def test_heads_learn_from_vectors_that_stay_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 4, (96, 2)).astype(np.float32)
    vectors = np.concatenate([levels - 1.5, rng.normal(size=(96, 6)).astype(np.float32)], axis=1)
    intensity = levels.copy()
    intensity[:40, 0] = NAN  # not annotated: learnt from the other texts
    heads = VectorHeads(vectors, TASKS, 16, tmp_path, epochs=10, learning_rate=3e-2, batch_size=16)
    rows = np.arange(96)
    model = heads.train(rows, {"emotion": (levels > 0).astype(np.float32), "intensity": intensity}, seed=1)
    embedded = model.get_input_embeddings().weight
    assert not embedded.requires_grad and torch.equal(embedded, torch.from_numpy(vectors))
    found = heads.logits(model, rows)
    assert ((found["emotion"] > 0) == (levels > 0)).mean() > 0.9
    assert min(np.corrcoef(found["intensity"][:, one], levels[:, one])[0, 1] for one in (0, 1)) > 0.9


def brighter(rows: dict[str, list[tuple[str, str]]]) -> TaskDataset:
    """Texts by split, each with a language; labels are its number."""
    splits = {
        split: datasets.Dataset.from_dict(
            {
                "text": [text for _, text in texts],
                "language": [language for language, _ in texts],
                "labels": [[float(number)] * 6 for number in range(len(texts))],
            }
        )
        for split, texts in rows.items()
    }
    return TaskDataset("brighter", list(intensities.EMOTIONS), "regression", datasets.DatasetDict(splits), None)


def test_training_texts_have_both_and_are_in_no_dev_split() -> None:
    tracks = {
        "emotion": brighter(
            {
                "train": [("amh", "a"), ("amh", "b"), ("amh", "c"), ("deu", "a"), ("rus", "z")],
                "dev": [("amh", "d"), ("deu", "e")],
            }
        ),
        "intensity": brighter(
            {
                "train": [("amh", "c"), ("amh", "a"), ("amh", "d"), ("deu", "a")],
                # Of another language, the same words are another text.
                "dev": [("amh", "b"), ("amh", "c"), ("deu", "f")],
            }
        ),
    }
    texts = AllTexts(tracks, ["amh", "deu"], 5)
    assert [texts.keys[row] for row in texts.train] == [("amh", "a"), ("deu", "a")]
    assert texts.train_labels["emotion"][:, 0].tolist() == [0, 3]
    assert texts.train_labels["intensity"][:, 0].tolist() == [1, 3]
    assert [texts.keys[row][1] for row in texts.dev["intensity"]] == ["b", "c", "f"]
    assert (texts.count("train", "amh"), texts.dev_sizes("amh")) == (1, [1, 2])
    gold = texts.references("intensity")
    assert gold.shape == (3, 12)
    # Amharic comes first: the German text has no gold values there, and only there.
    assert np.isnan(gold[2, :6]).all() and (gold[2, 6:] == 2).all() and np.isnan(gold[:2, 6:]).all()
    values = texts.by_language(np.arange(18.0).reshape(1, 3, 6), "intensity")
    assert values[0, 2].tolist() == [0.0] * 6 + [12, 13, 14, 15, 16, 17]
    with pytest.raises(ValueError, match="--languages rus: no training text has both"):
        AllTexts(tracks, ["amh", "rus"], 5)


def test_what_counts_as_an_intensity() -> None:
    zeros = np.zeros((1, 6))
    alone = outputs({"emotion": zeros})
    assert (alone["intensity"] == 0.5).all() and alone["emotion"] is alone["intensity"]
    assert (outputs({"emotion": zeros, "intensity": zeros + 2})["intensity"] == 2).all()
    # Thresholds are for shares of the highest intensity.
    assert (outputs({"intensity": zeros + 6})["emotion"] == 1).all()
    assert np.allclose(outputs({"steps": np.zeros((1, 18))})["intensity"], 1.5)
