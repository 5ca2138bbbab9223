"""What each word contributes to each label: how its probability changes when the word is left out (occlusion).

It asks the model nothing but probabilities, so it works for every model, and it can be said in one sentence. Gradients
would be cheaper for long texts, but need a baseline, and their unit means nothing to a reader.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# The model reads the text once for each: this many take a second or two on a CPU.
MOST_PIECES = 64


@dataclass(frozen=True)
class Attribution:
    """
    Args:
        text (`str`): The text.
        spans (`list[tuple[int, int]]`): Where in it each piece begins and ends: a word, or in a long text several.
        contributions (`np.ndarray` of shape `(spans, labels)`): By how much the piece raises each label's probability;
            negative where the label is more probable without it.
    """

    text: str
    spans: list[tuple[int, int]]
    contributions: np.ndarray


def attribute(text: str, scores_of: Callable[[Sequence[str]], np.ndarray], scores: np.ndarray) -> Attribution:
    """Leave out each word once.

    Args:
        text (`str`): The text.
        scores_of (`Callable`): From texts to their labels' probabilities, of shape `(texts, labels)`.
        scores (`np.ndarray` of shape `(labels,)`): Those of the whole text.

    Returns:
        [`Attribution`]; without spans where the text is a single word, for nothing is left of it to compare with.
    """
    spans = pieces(text)
    if len(spans) < 2:
        return Attribution(text, [], np.zeros((0, len(scores))))
    without = scores_of([text[:start] + text[end:] for start, end in spans])
    return Attribution(text, spans, scores - without)


def pieces(text: str, most: int = MOST_PIECES) -> list[tuple[int, int]]:
    """Where the words of a text are; in one of more than `most`, runs of about as many words each."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    runs = np.array_split(np.arange(len(words)), min(len(words), most)) if words else []
    return [(words[run[0]][0], words[run[-1]][1]) for run in runs]
