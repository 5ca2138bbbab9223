"""A classifier as the page asks it: probabilities of all labels, and a text's vector where it has one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoConfig, AutoModelForSequenceClassification, pipeline

# By family of this project, what the space is called that a text's vector lies in.
SPACES = {"csr": "the common space", "csr-multitask": "the encoder's space"}
MULTI_LABEL, SINGLE_LABEL = "multi_label_classification", "single_label_classification"
BATCH_SIZE = 32


@dataclass(frozen=True)
class Reading:
    """
    What a classifier says of a text.

    Args:
        scores (`np.ndarray` of shape `(labels,)`): Probabilities, in the order of the classifier's labels.
        vector (`np.ndarray` of shape `(size,)`, *optional*): The text in the classifier's space.
    """

    scores: np.ndarray
    vector: np.ndarray | None = None


class Classifier:
    """A model of this project, which brings its own pipeline along, or any stock classifier.

    Args:
        name (`str`): Its id on the Hub, or its folder. **The code that comes with it is run.**

    Raises:
        ValueError: If it is a regression model, whose numbers are no probabilities, or no trained classifier.
        OSError: If there is no such model.
    """

    def __init__(self, name: str) -> None:
        try:
            config = AutoConfig.from_pretrained(name, trust_remote_code=True)
        except OSError as error:
            # Without the Hub, transformers does not say what it was looking for.
            raise OSError(f"{name} could not be loaded: {error}") from error
        if config.problem_type == "regression":
            raise ValueError(f"{name} is a regression model: the page shows the probabilities of a classifier.")
        _check_weights(name)
        self.name = name
        self.title = Path(name).name if Path(name).is_dir() else name
        self.labels: list[str] = [config.id2label[index] for index in range(config.num_labels)]
        self.multi_label = (config.problem_type or SINGLE_LABEL) == MULTI_LABEL or len(self.labels) == 1
        # Of several labels of which one holds, the most probable one does.
        thresholds = getattr(config, "thresholds", None) or [0.5] * len(self.labels)
        self.thresholds: list[float] | None = thresholds if self.multi_label else None
        self.space = SPACES.get(config.model_type)
        # Whether it reads the utterances before.
        self.follows = config.model_type == "dialogue"
        task = "emotion-classification" if self.space else "text-classification"
        self._pipeline = pipeline(task, model=name, trust_remote_code=True, top_k=None, batch_size=BATCH_SIZE)

    @cached_property
    def limit(self) -> int | None:
        """How many tokens of a text are read; `None` where the pipeline reads any number of them, in windows."""
        if self.space:
            return None
        positions = getattr(self._pipeline.model.config, "max_position_embeddings", None) or 512
        return min(self._pipeline.tokenizer.model_max_length, positions)

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities of the labels.

        Args:
            texts (`Sequence[str]`): Raw texts, none of them empty.

        Returns:
            `np.ndarray` of shape `(texts, labels)`.
        """
        cut = {} if self.limit is None else {"truncation": True, "max_length": self.limit}
        return np.array([self._in_order(entries) for entries in self._pipeline(list(texts), **cut)])

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Probabilities of the labels, and the texts' vectors where the model has a space for them."""
        if self.space is None:
            return [Reading(scores) for scores in self.scores(texts)]
        return [
            Reading(np.array(self._in_order(found["labels"])), np.array(found["embedding"]))
            for found in self._pipeline(list(texts), return_embeddings=True)
        ]

    def tracker(self) -> Any:
        """A new `DialogueTracker`, which reads a conversation line by line; `None` for a model of single texts."""
        return self._pipeline.model.tracker(self._pipeline.tokenizer) if self.follows else None

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Which labels hold: those that reach their thresholds, or the most probable one."""
        if self.thresholds is None:
            return np.arange(len(scores)) == scores.argmax()
        return scores >= np.array(self.thresholds)

    def _in_order(self, entries: list[dict]) -> list[float]:
        scores = {entry["label"]: entry["score"] for entry in entries}
        return [scores[label] for label in self.labels]


def _check_weights(name: str) -> None:
    # Loaded twice, since a pipeline does not tell which weights it has made up.
    _, info = AutoModelForSequenceClassification.from_pretrained(name, trust_remote_code=True, output_loading_info=True)
    missing = sorted(info["missing_keys"])
    if missing:
        raise ValueError(
            f"{name} is not a trained classifier: {len(missing)} weights are missing, such as {missing[0]}. Give the "
            "folder of a classifier, such as emotion-encoder or csr of a run."
        )
