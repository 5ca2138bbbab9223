"""Texts that occur more than once: the same after normalisation, or nearly."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from ...data import comparable_text

# Cosine of two texts' vectors from which on they are near-duplicates.
SIMILARITY = 0.85


def same_texts(texts: Sequence[str]) -> list[list[int]]:
    """The row numbers, from 0, of each different text, as [`~trainers.data.comparable_text`] compares them; in the
    order of their first rows."""
    found = defaultdict[str, list[int]](list)
    for row, text in enumerate(texts):
        found[comparable_text(text)].append(row)
    return list(found.values())


@dataclass(frozen=True)
class NearDuplicates:
    """
    What [`near_duplicates`] finds.

    Args:
        groups (`np.ndarray` of shape `(texts,)`): The group of each text. A text without near-duplicates is one of its
            own. In larger ones, each text is a near-duplicate of some other, but not of all.
        closest (`np.ndarray` of shape `(texts,)`): The row of the most similar other text; -1 if none is similar
        enough.
        similarity (`np.ndarray` of shape `(texts,)`): The cosine with that text, else 0.
    """

    groups: np.ndarray
    closest: np.ndarray
    similarity: np.ndarray


def near_duplicates(texts: Sequence[str], similarity: float = SIMILARITY) -> NearDuplicates:
    """Texts that have nearly all their characters in common, in nearly the same order.

    Compared are TF-IDF vectors of the words' 3- to 5-grams of characters, by their cosine. No encoder is needed, to
    which "my son was born" and "my daughter was born" are nearly the same. Every pair is compared, so ten times the
    texts take a hundred times as long.

    Args:
        texts (`Sequence[str]`): The texts, none of them blank.
        similarity (`float`, defaults to 0.85): The lowest cosine of near-duplicates.

    Returns:
        [`NearDuplicates`].
    """
    compared = [comparable_text(text) for text in texts]
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), lowercase=False).fit_transform(compared)
    # Sums that make up a cosine may differ in their last digits.
    neighbours = NearestNeighbors(radius=1 - similarity + 1e-9, metric="cosine").fit(vectors)
    graph = neighbours.radius_neighbors_graph(mode="distance").tocoo()
    # As similarities, since a sparse graph takes a distance of 0 for no edge.
    graph.data = 1 - graph.data
    closest, highest = np.full(len(compared), -1), np.zeros(len(compared))
    for row, other, cosine in zip(graph.row, graph.col, graph.data, strict=True):
        if cosine > highest[row]:
            closest[row], highest[row] = other, cosine
    return NearDuplicates(connected_components(graph, directed=False)[1], closest, highest)


__all__ = ["SIMILARITY", "NearDuplicates", "near_duplicates", "same_texts"]
