"""A conversation line by line, and what one or more models say of each line as it is said."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from classifier import Classifier


@dataclass(frozen=True)
class Line:
    """
    A line of a conversation.

    Args:
        speaker (`str`): Who said it.
        text (`str`): What was said.
        scores (`list[np.ndarray]`): By model, the probabilities of its labels.
    """

    speaker: str
    text: str
    scores: list[np.ndarray]


class Talk:
    """One conversation. Models of dialogues read each line after those before it, others read it alone.

    Args:
        classifiers (`Sequence[Classifier]`): The models.
    """

    def __init__(self, classifiers: Sequence[Classifier]) -> None:
        self.classifiers, self.lines = classifiers, list[Line]()
        self._trackers = [classifier.tracker() for classifier in classifiers]

    def add(self, text: str, speaker: str) -> Line:
        """The next line.

        Args:
            text (`str`): What is said; not blank.
            speaker (`str`): By whom, by any name.
        """
        scores = []
        for classifier, tracker in zip(self.classifiers, self._trackers, strict=True):
            if tracker is None:
                scores.append(classifier.scores([text])[0])
            else:
                found = tracker.add(text, speaker=speaker)
                scores.append(np.array([found[label] for label in classifier.labels]))
        self.lines.append(Line(speaker, text, scores))
        return self.lines[-1]
