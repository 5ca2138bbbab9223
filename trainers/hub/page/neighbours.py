"""The bundled posts that lie nearest to a text."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Post:
    """A post, and the labels that its annotators gave it."""

    text: str
    labels: tuple[str, ...]


def read_posts(paths: Sequence[Path]) -> list[Post]:
    """The posts of files of the bundled corpus.

    Args:
        paths (`Sequence[Path]`): JSON Lines of `text` and `emotions`.
    """
    posts = []
    for path in paths:
        with path.open(encoding="utf-8") as file:
            rows = map(json.loads, file)
            posts += [Post(row["text"], tuple(row["emotions"])) for row in rows]
    return posts


class Neighbours:
    """Posts by the cosine between their vectors and another one.

    Args:
        posts (`Sequence[Post]`): The posts.
        vectors (`np.ndarray` of shape `(posts, size)`): Their vectors.
    """

    def __init__(self, posts: Sequence[Post], vectors: np.ndarray) -> None:
        self.posts, self.vectors = posts, _of_length_one(vectors)

    def nearest(self, vector: np.ndarray, count: int) -> list[tuple[Post, float]]:
        """The nearest posts with their cosines, the nearest one first.

        Args:
            vector (`np.ndarray` of shape `(size,)`): Of a text.
            count (`int`): How many.
        """
        cosines = self.vectors @ _of_length_one(vector)
        return [(self.posts[row], float(cosines[row])) for row in np.argsort(-cosines, kind="stable")[:count]]


def _of_length_one(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)
