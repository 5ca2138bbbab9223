"""The emotion pipeline, for raw texts of any length. This module is saved to the Hub alongside the weights."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from types import GeneratorType
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import PreTrainedModel
from transformers.pipelines.base import ChunkPipeline

# transformers copies relative imports alongside the weights, so this one also brings the endpoint handler.
from .handler import TASK

CUSTOM_PIPELINES = {
    TASK: {
        "impl": "pipeline_emotion.EmotionClassificationPipeline",
        "pt": ["AutoModelForSequenceClassification"],
        "type": "text",
    }
}
# For each family, the classifier output that represents the text.
EMBEDDINGS = {"csr": "common_space", "csr-multitask": "representation"}
MULTI_LABEL, SINGLE_LABEL = "multi_label_classification", "single_label_classification"
_THRESHOLDS: Any = object()


@contextmanager
def named_pipelines(model: PreTrainedModel) -> Iterator[None]:
    """While a classifier is being saved, record in its config the pipelines that its folder provides."""
    # Bypass setattr: once the package is imported, it ignores this attribute (see __init__.py).
    fields = vars(model.config)
    fields.pop("custom_pipelines", None)
    if model._auto_class == "AutoModelForSequenceClassification":
        fields["custom_pipelines"] = CUSTOM_PIPELINES
    try:
        yield
    finally:
        fields.pop("custom_pipelines", None)


class EmotionClassificationPipeline(ChunkPipeline):
    """
    Classifies raw texts, by default returning only the labels that reach their thresholds.

    Works with [`CSRForSequenceClassification`], [`MultitaskForSequenceClassification`] and any stock
    `AutoModelForSequenceClassification`. Scores are probabilities: sigmoid for multi-label problems (and models with a
    single label), softmax for single-label ones; for regression they are the predicted values.

    A text longer than the model's limit (the tokenizer's `model_max_length`, or the number of positions of the encoder
    if that is smaller) is read in overlapping windows. For multi-label problems, the score of a label is its maximum
    over the windows, since an emotion in part of a text is in the text. Single-label scores, regressions and
    embeddings are averaged over the windows, weighted by the number of text tokens in each.

    Args:
        top_k (`int` or `None`, *optional*): Number of labels to return regardless of thresholds; `None` for all. The
            default depends on the problem: for multi-label ones, all labels that reach their threshold
            (`config.thresholds`, or 0.5), which may be none; for single-label ones, the best; for regression, all.
        stride (`int`, *optional*): Number of tokens shared by neighbouring windows. Defaults to a quarter of a
            window.
        main_task (`str`, *optional*): Task of a multi-task model. Defaults to `config.main_task`.
        return_embeddings (`bool`, defaults to `False`): Whether to also return an embedding of the text: its
            common-space representation, or the representation of a `csr-multitask` model.

    All of them can be set when the pipeline is created or for each call.

    Example:

    ```python
    >>> from transformers import pipeline

    >>> classifier = pipeline("emotion-classification", model="org/csr-emotion", trust_remote_code=True)
    >>> classifier("We made it!")
    [{'label': 'joy', 'score': 0.93}, {'label': 'optimism', 'score': 0.61}]
    ```
    """

    tokenizer: Any
    _load_tokenizer: Any = True
    _load_feature_extractor: Any = False
    _load_image_processor: Any = False
    _load_processor: Any = False

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Classify texts.

        Args:
            inputs (`str`, `dict` or an iterable of them): A text, or a dictionary with `text` and, optionally,
                `text_pair`; other columns are ignored.
            **kwargs: `batch_size`, `num_workers` and the pipeline's own arguments.

        Returns:
            For a single text, a `list[dict]` with `label` and `score`, sorted by score, or, with
            `return_embeddings=True`, a dictionary with this list as `labels` and a `list[float]` as `embedding`. For a
            list of texts, a list of these; for a generator or a dataset, an iterator over them.

        Raises:
            ValueError: If an input is not a string or is empty, or the model does not support an argument.
        """
        if isinstance(inputs, Sequence) and not isinstance(inputs, (str, bytes)):
            inputs = list(inputs)
            if not inputs:
                return []
        elif isinstance(inputs, Iterable) and not isinstance(inputs, (str, bytes, dict, Dataset, GeneratorType)):
            inputs = (item for item in inputs)
        return super().__call__(inputs, **kwargs)

    def get_iterator(self, inputs: Iterable[Any], *args: Any) -> Iterator[Any]:
        return super().get_iterator(_CheckedTexts(inputs), *args)

    def _sanitize_parameters(
        self,
        top_k: int | None = _THRESHOLDS,
        stride: int | None = None,
        main_task: str | None = None,
        return_embeddings: bool | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        preprocess: dict[str, Any] = {}
        forward: dict[str, Any] = {}
        postprocess: dict[str, Any] = {}
        if top_k is not _THRESHOLDS:
            if top_k is not None and not (_is_int(top_k) and top_k > 0):
                raise ValueError(f"top_k must be a positive integer, or None for all labels, got {top_k!r}.")
            postprocess["top_k"] = top_k
        if stride is not None:
            if not (_is_int(stride) and stride >= 0):
                raise ValueError(f"stride must be a non-negative integer (a number of tokens), got {stride!r}.")
            preprocess["stride"] = stride
        if main_task is not None:
            tasks = self.model.config.tasks if self.model.config.model_type == "csr-multitask" else {}
            if main_task not in tasks:
                raise ValueError(
                    f"main_task {main_task!r} is not a task of the model, which has {', '.join(tasks) or 'none'}."
                )
            forward["main_task"] = postprocess["main_task"] = main_task
        if return_embeddings is not None:
            if not isinstance(return_embeddings, bool):
                raise ValueError(f"return_embeddings must be True or False, got {return_embeddings!r}.")
            if return_embeddings and self.model.config.model_type not in EMBEDDINGS:
                raise ValueError(
                    f"return_embeddings is not supported by models of type {self.model.config.model_type!r}, only by "
                    f"{' and '.join(EMBEDDINGS)}."
                )
            forward["return_embeddings"] = return_embeddings
        return preprocess, forward, postprocess

    @cached_property
    def _positions(self) -> float:
        """Number of tokens that every encoder in the model can read at once."""
        limits = [float("inf")]
        for module in self.model.modules():
            if isinstance(module, PreTrainedModel):
                limits.append(getattr(module.config, "max_position_embeddings", None) or float("inf"))
            table = getattr(module, "position_embeddings", None)
            if isinstance(table, nn.Embedding):
                # RoBERTa and MPNet number tokens starting after the padding index.
                first = 0 if table.padding_idx is None else table.padding_idx + 1
                limits.append(table.num_embeddings - first)
        return min(limits)

    def preprocess(self, inputs: str | dict[str, str], stride: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the windows of a text; usually there is only one."""
        texts = inputs if isinstance(inputs, dict) else {"text": inputs}
        special = self.tokenizer.num_special_tokens_to_add(pair="text_pair" in texts)
        limit = min(self.tokenizer.model_max_length, self._positions)
        encoding = self.tokenizer(**texts, verbose=False)
        windows = {name: [values] for name, values in encoding.items() if name in self.tokenizer.model_input_names}
        if len(encoding["input_ids"]) > limit:
            if "text_pair" in texts:
                raise ValueError(
                    f"A text pair has {len(encoding['input_ids'])} tokens, but the model reads at most {limit}; only "
                    "single texts can be read in windows."
                )
            if not self.tokenizer.is_fast:
                raise ValueError(
                    f"A text has {len(encoding['input_ids'])} tokens, but the model reads at most {limit}; to read it "
                    "in windows, pass a fast tokenizer."
                )
            size = int(limit) - special
            stride = size // 4 if stride is None else stride
            if stride >= size:
                raise ValueError(f"stride ({stride}) must be less than {size}, the number of text tokens in a window.")
            overflow = self.tokenizer(
                **texts, truncation=True, max_length=int(limit), stride=stride, return_overflowing_tokens=True
            )
            windows = {name: overflow[name] for name in windows}
        count = len(windows["input_ids"])
        for index in range(count):
            yield {
                "is_last": index == count - 1,
                # At least 1, so that a text without any known token still has a mean.
                "num_tokens": max(len(windows["input_ids"][index]) - special, 1),
                **{name: torch.tensor([rows[index]]) for name, rows in windows.items()},
            }

    def _forward(
        self, model_inputs: dict[str, Any], main_task: str | None = None, return_embeddings: bool = False
    ) -> dict[str, Any]:
        rest = {name: model_inputs.pop(name) for name in ("is_last", "num_tokens")}
        output = self.model(**model_inputs)
        logits = output.get("logits") if main_task is None else output["task_logits"][main_task]
        if logits is None:
            raise ValueError(f"{type(self.model).__name__} returns no logits: pass a sequence classification model.")
        rest["logits"] = logits.float()
        if return_embeddings:
            rest["embedding"] = output[EMBEDDINGS[self.model.config.model_type]].float()
        return rest

    def postprocess(
        self, model_outputs: list[dict[str, Any]], top_k: int | None = _THRESHOLDS, main_task: str | None = None
    ) -> list[dict[str, Any]] | dict[str, Any]:
        """Combine the windows of a text into its labels."""
        labels, problem_type, thresholds = self._head(main_task)
        weights = torch.tensor([float(window["num_tokens"]) for window in model_outputs])
        weights = (weights / weights.sum())[:, None]
        logits = torch.cat([window["logits"] for window in model_outputs])
        if problem_type == MULTI_LABEL:
            scores = logits.sigmoid().amax(dim=0)
        else:
            scores = (weights * (logits.softmax(dim=-1) if problem_type == SINGLE_LABEL else logits)).sum(dim=0)
        found = list(zip(labels, scores.tolist(), thresholds, strict=True))
        if top_k is _THRESHOLDS and problem_type == MULTI_LABEL:
            found = [entry for entry in found if entry[1] >= entry[2]]
        found.sort(key=lambda entry: entry[1], reverse=True)
        if top_k is _THRESHOLDS:
            top_k = 1 if problem_type == SINGLE_LABEL else None
        entries = [{"label": label, "score": score} for label, score, _ in found[:top_k]]
        if "embedding" not in model_outputs[0]:
            return entries
        embeddings = torch.cat([window["embedding"] for window in model_outputs])
        return {"labels": entries, "embedding": (weights * embeddings).sum(dim=0).tolist()}

    def _head(self, main_task: str | None) -> tuple[list[str], str, list[float]]:
        """Labels, problem type and thresholds of a task; stock configs may lack the latter two."""
        config = self.model.config
        if main_task is not None:
            task = config.tasks[main_task]
            labels, problem_type, thresholds = task["labels"], task["problem_type"], task.get("thresholds")
        else:
            labels = [config.id2label[index] for index in range(config.num_labels)]
            problem_type, thresholds = config.problem_type, getattr(config, "thresholds", None)
        problem_type = problem_type or (SINGLE_LABEL if len(labels) > 1 else MULTI_LABEL)
        return labels, problem_type, thresholds or [0.5] * len(labels)


class _CheckedTexts:
    """Inputs of a call, validated while they are iterated over; like a dataset, they can be read repeatedly."""

    def __init__(self, inputs: Iterable[Any]) -> None:
        self.inputs = inputs

    def __iter__(self) -> Iterator[dict[str, str]]:
        for position, item in enumerate(self.inputs):
            texts = item if isinstance(item, dict) else {"text": item}
            if "text" not in texts:
                raise ValueError(f'inputs[{position}] has no "text"; its keys are {", ".join(texts)}.')
            texts = {name: texts[name] for name in ("text", "text_pair") if name in texts}
            for name, text in texts.items():
                where = f"inputs[{position}]" + (f"[{name!r}]" if isinstance(item, dict) else "")
                if not isinstance(text, str):
                    raise ValueError(f"{where} must be a string, got {type(text).__name__}.")
                if not text.strip():
                    raise ValueError(f"{where} is empty: remove inputs without text.")
            yield texts


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


__all__ = ["EmotionClassificationPipeline"]
