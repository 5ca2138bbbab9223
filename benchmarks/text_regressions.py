"""What people take where a fine-tuned encoder is too slow: logistic regression on words, or on frozen vectors."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler

from trainers.data import TaskDataset, digest
from trainers.loop import encoder_identity

from .adapter_cost import size
from .baselines import best_regression, words_and_pairs

# For vectors of unit variance.
DENSE_SETTINGS = tuple(product((0.003, 0.01, 0.1, 1.0), (None, "balanced")))


@dataclass
class TextRegression:
    """
    Logistic regressions on features of texts, one of each label.

    Args:
        features (`Callable`): From texts to their features.
        model (`OneVsRestClassifier`): The regressions.
        found (`dict`): The setting that was best on dev, and its scores.
        bytes (`float`): What is stored of all this.
    """

    features: Callable[[list[str]], Any]
    model: OneVsRestClassifier
    found: dict[str, Any]
    bytes: float

    def __call__(self, texts: list[str]) -> np.ndarray:
        """Logits `(texts, num_labels)`."""
        return self.model.decision_function(self.features(texts))


def on_words(dataset: TaskDataset, folder: Path) -> TextRegression:
    """A regression on TF-IDF of words and pairs of words.

    Args:
        dataset (`TaskDataset`): With `train` and `dev`.
        folder (`Path`): Where it is kept: it is not fitted again.
    """

    def fit() -> Any:
        vectorizer = words_and_pairs()
        features = vectorizer.fit_transform(dataset.splits["train"]["text"])
        # One against the rest: with this many columns, other solvers take minutes.
        dev_features = vectorizer.transform(dataset.splits["dev"]["text"])
        return vectorizer, *best_regression(dataset, features, dev_features, solver="liblinear")

    path = folder / f"words-{digest(_rows(dataset))}.joblib"
    vectorizer, model, found = _kept(path, fit)
    return TextRegression(vectorizer.transform, model, found, float(path.stat().st_size))


def on_vectors(
    dataset: TaskDataset,
    folder: Path,
    encoder: str,
    encode: Callable[[list[str]], np.ndarray],
    read: Callable[[list[str]], np.ndarray] | None = None,
) -> TextRegression:
    """A regression on vectors of texts.

    Args:
        dataset (`TaskDataset`): With `train` and `dev`.
        folder (`Path`): Where it is kept: it is not fitted again.
        encoder (`str`): The folder of what makes the vectors, as identity and for its size.
        encode (`Callable`): From texts to vectors `(texts, size)`, for fitting.
        read (`Callable`, *optional*): The same for use, if `encode` keeps what it has read.
    """

    def fit() -> Any:
        scaler = StandardScaler()
        vectors = scaler.fit_transform(encode(dataset.splits["train"]["text"][:]))
        dev_vectors = scaler.transform(encode(dataset.splits["dev"]["text"][:]))
        return scaler, *best_regression(dataset, vectors, dev_vectors, DENSE_SETTINGS, max_iter=500)

    path = folder / f"vectors-{digest([encoder_identity(encoder), _rows(dataset)])}.joblib"
    scaler, model, found = _kept(path, fit)
    used = read or encode
    return TextRegression(
        lambda texts: scaler.transform(used(texts)), model, found, size(Path(encoder)) + path.stat().st_size
    )


def static_embeddings(folder: Path, encoder: str) -> tuple[Path, Callable[[list[str]], np.ndarray]]:
    """Embeddings of the tokens alone, made of an encoder by model2vec (https://github.com/MinishLab/model2vec): each
    token is read by itself, and its vector reduced by PCA and weighted by Zipf's law; a text has the mean of its own.

    Args:
        folder (`Path`): Where they are kept.
        encoder (`str`): Folder of the encoder.

    Returns:
        Their folder, and what encodes texts.

    Raises:
        ModuleNotFoundError: If model2vec or skeletoken is not installed.
    """
    path = folder / f"static-{digest(encoder_identity(encoder))}"
    if not path.is_dir():
        unfinished = path.with_suffix(".unfinished")
        import_module("model2vec.distill").distill(encoder, pca_dims=256, device="cpu").save_pretrained(unfinished)
        unfinished.rename(path)
    return path, import_module("model2vec").StaticModel.from_pretrained(path).encode


def _rows(dataset: TaskDataset) -> list[Any]:
    return [dataset.splits[split][column][:] for split in ("train", "dev") for column in ("text", "labels")]


def _kept(path: Path, fit: Callable[[], Any]) -> Any:
    """What an earlier call has fitted, or is fitted now."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        joblib.dump(fit(), unfinished)
        unfinished.rename(path)
    return joblib.load(path)
