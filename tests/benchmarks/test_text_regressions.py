"""Regressions on features of texts: what they learn, and that they are fitted once."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.text_regressions import on_vectors, on_words
from tests.helpers import tiny_run
from trainers.data import TaskDataset, load_task_dataset


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TaskDataset:
    folder = tmp_path_factory.mktemp("data")
    tiny_run.write_data(folder, train=90, dev=30)
    return load_task_dataset(str(folder / "posts"), label_columns=list(tiny_run.EMOTIONS))


def test_words_are_fitted_once(data: TaskDataset, tmp_path: Path) -> None:
    first = on_words(data, tmp_path)
    assert first.found["metrics"]["jaccard"] > 0.8
    (kept,) = tmp_path.glob("*.joblib")
    assert first.bytes == kept.stat().st_size
    written = kept.stat().st_mtime_ns
    texts = data.splits["dev"]["text"][:]
    assert np.array_equal(on_words(data, tmp_path)(texts), first(texts))
    assert kept.stat().st_mtime_ns == written


def test_vectors_are_read_once(data: TaskDataset, tmp_path: Path) -> None:
    encoder = tiny_run.write_encoder(tmp_path / "encoder")
    words = [word for pair in tiny_run.EMOTIONS.values() for word in pair.split()]
    read: list[int] = []

    def encode(texts: list[str]) -> np.ndarray:
        read.append(len(texts))
        return np.array([[float(word in text.split()) for word in words] for text in texts])

    first = on_vectors(data, tmp_path / "kept", str(encoder), encode)
    assert read == [90, 30] and first.found["metrics"]["jaccard"] > 0.9
    # A vector alone decides, whatever it is made by.
    other = on_vectors(data, tmp_path / "kept", str(encoder), encode, lambda texts: np.eye(6)[: len(texts)])
    assert read == [90, 30]
    assert other(["", "", "", "", "", ""]).argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2]
    weights = (encoder / "model.safetensors").stat().st_size
    assert first.bytes == weights + next((tmp_path / "kept").glob("*.joblib")).stat().st_size
    # Other vectors would be another regression.
    tiny_run.write_encoder(tmp_path / "encoder", seed=1)
    on_vectors(data, tmp_path / "kept", str(encoder), encode)
    assert read == [90, 30, 90, 30]
