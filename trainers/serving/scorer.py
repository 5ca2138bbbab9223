"""A classifier that turns lists of texts into tables of labels and scores."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from transformers import AutoTokenizer

from modeling_csr import ClassifierHead, EmotionClassificationPipeline

from ..data import digest, tokenizer_digest, weights_digest
from ..evaluation import label_names, load_classifier, problem_type_of

DTYPES = ("float32", "bfloat16", "float16")
_MULTI_LABEL, _SINGLE_LABEL = "multi_label_classification", "single_label_classification"


class Scorer:
    """
    Scores texts with the emotion pipeline: sorted by length, in batches of tokens, long texts in windows.

    The same list of texts gives the same bits on the same kind of machine with the same number of threads.

    Args:
        model (`str`): Folder or Hub id of a classifier.
        revision (`str`, *optional*): Branch, tag or commit of a model on the Hub.
        threshold (`float`, *optional*): One threshold for all labels, instead of the model's own.
        calibrated (`bool`, defaults to `False`): Whether scores are calibrated probabilities, as in the pipeline; the
            model's own thresholds move along, so that texts get the same labels.
        min_confidence (`float`, *optional*): Leave labels out whose score is lower, so that a text may have none.
        vectors (`bool`, defaults to `False`): Whether to give the model's representation of each text.
        batch_size (`int`, *optional*): Texts in a batch; by default as many as have the tokens that suit the device.
        dtype (`str`, defaults to `"float32"`): Precision of the model: `"float32"`, `"bfloat16"` or `"float16"`.
        device (`str`, *optional*): Such as `"cuda:1"`; by default the first GPU, or the CPU if there is none.
        threads (`int`, *optional*): Threads of torch, for the whole process; by default they are left alone.
        trust_remote_code (`bool`, defaults to `False`): Whether to run the code in the model's repository.

    Raises:
        OSError: If there is no such model.
        ValueError: If it is no classifier of single texts, or an argument does not fit it.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        threshold: float | None = None,
        calibrated: bool = False,
        min_confidence: float | None = None,
        vectors: bool = False,
        batch_size: int | None = None,
        dtype: str = "float32",
        device: str | None = None,
        threads: int | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        if dtype not in DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}.")
        if threads is not None:
            torch.set_num_threads(threads)
        options: dict[str, Any] = {"trust_remote_code": trust_remote_code}
        if revision is not None:
            options["revision"] = revision
        classifier = load_classifier(model, dtype=getattr(torch, dtype), **options).eval()
        config = classifier.config
        if config.model_type == "dialogue":
            raise ValueError(f"{model} reads utterances in dialogues, not single texts. Name another classifier.")
        self.labels = label_names(config)
        self.problem_type = problem_type_of(config)
        if threshold is not None and self.problem_type != _MULTI_LABEL:
            raise ValueError(f"--threshold is for several labels a text; {model} is {self.problem_type}.")
        if min_confidence is not None and self.problem_type == "regression":
            raise ValueError(f"--min_confidence is for probabilities; {model} predicts numbers (a regression).")
        for option, value in (("threshold", threshold), ("min_confidence", min_confidence)):
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"--{option} must be from 0 to 1, got {value}.")
        head = ClassifierHead.of(config)
        self.own_thresholds = head.thresholds
        self.calibration = head.calibration if calibrated else None
        self.min_confidence = min_confidence
        self.vectors = vectors
        self.batch_size = batch_size
        self.tokenizer = AutoTokenizer.from_pretrained(model, **options)
        self.commit: str | None = getattr(config, "_commit_hash", None)
        build: Any = EmotionClassificationPipeline
        self._pipeline = build(
            model=classifier,
            tokenizer=self.tokenizer,
            device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
            top_k=None,
            return_embeddings=vectors or None,
            calibrated=calibrated,
        )
        own = head.calibrated_thresholds() if calibrated else self.own_thresholds
        self.thresholds = np.array(own if threshold is None else [threshold] * len(self.labels), dtype=np.float64)

    def digest(self) -> str:
        """A short hash of the model: weights, tokenizer, labels, own thresholds, and the calibration if it is used."""
        weights = weights_digest(self._pipeline.model)
        decided = [self.labels, self.problem_type, list(self.own_thresholds)]
        decided += [] if self.calibration is None else [self.calibration]
        return digest([weights, tokenizer_digest(self.tokenizer), *decided])

    def score(self, texts: Sequence[str]) -> pa.Table:
        """Score texts.

        Args:
            texts (`Sequence[str]`): The texts, none of them blank.

        Returns:
            `pyarrow.Table`: A row for each text, in their order, with `labels` (the names of those that reach their
            thresholds; the best one for single-label models; no such column for regression), a column `score_LABEL`
            (`float32`: a probability, or the predicted number) for each label, and `vector` if asked for.

        Raises:
            ValueError: If a text is blank or cannot be encoded.
        """
        found: Any = self._pipeline(list(texts), batch_size=self.batch_size)
        entries = [one["labels"] for one in found] if self.vectors else found
        columns = {label: number for number, label in enumerate(self.labels)}
        scores = np.empty((len(entries), len(columns)), dtype=np.float64)
        for row, one in enumerate(entries):
            for entry in one:
                scores[row, columns[entry["label"]]] = entry["score"]
        table: dict[str, Any] = {}
        if self.problem_type != "regression":
            table["labels"] = pa.array(self._decided(scores), type=pa.list_(pa.string()))
        table |= {f"score_{label}": pa.array(scores[:, number].astype(np.float32)) for label, number in columns.items()}
        if self.vectors:
            vectors = np.array([one["embedding"] for one in found], dtype=np.float32)
            table["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        return pa.table(table)

    def _decided(self, scores: np.ndarray) -> list[list[str]]:
        reached = scores >= self.thresholds
        if self.problem_type == _SINGLE_LABEL:
            reached = np.arange(len(self.labels)) == scores.argmax(axis=1, keepdims=True)
        if self.min_confidence is not None:
            reached &= scores >= self.min_confidence
        return [[self.labels[number] for number in np.flatnonzero(row)] for row in reached]


__all__ = ["DTYPES", "Scorer"]
