"""BRIGHTER's emotions: how other data name them, and comparisons over its languages."""

import warnings
from collections.abc import Mapping

import numpy as np
from scipy.stats import wilcoxon

from trainers.data import TaskDataset

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
# The emotions of GoEmotions by those of Ekman, as its authors group them.
GROUPS = {
    "anger": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "joy": "joy amusement approval excitement gratitude love optimism relief pride admiration desire caring",
    "sadness": "sadness disappointment embarrassment grief remorse",
    "surprise": "surprise realization confusion curiosity",
}


def english_targets(data: TaskDataset) -> np.ndarray:
    """BRIGHTER's emotions of the training texts of E-c or GoEmotions: `(texts, 6)`, 0 or 1."""
    targets = data.targets("train")
    columns = []
    for emotion in EMOTIONS:
        names = GROUPS[emotion].split() if data.name == "goemotions" else [emotion]
        columns.append(targets[:, [data.labels.index(name) for name in names]].max(axis=1))
    return np.stack(columns, axis=1)


def paired_over_languages(first: Mapping[str, float], second: Mapping[str, float]) -> str:
    """The difference of two settings' scores, in points, with Wilcoxon's signed-rank test over the languages."""
    differences = np.array([first[one] - second[one] for one in first])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ties, and of few languages
        p_value = wilcoxon(differences).pvalue if differences.any() else 1.0
    return (
        f"{100 * differences.mean():+.1f}, better in {(differences > 0).sum()} of {len(differences)} languages "
        f"(p = {p_value:.3g}, Wilcoxon over languages)"
    )
