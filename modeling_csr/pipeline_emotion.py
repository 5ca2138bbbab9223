"""The emotion pipeline, for raw texts of any length. This module is saved to the Hub alongside the weights."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pipelines.base import ChunkPipeline
from transformers.tokenization_utils_base import LARGE_INTEGER

# transformers copies relative imports alongside the weights, so this one also brings the endpoint handler.
from .handler import TASK
from .pipeline_inputs import CheckedTexts, call_thresholds, with_lists

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
TRUNCATIONS = (True, False, "longest_first", "only_first", "only_second", "do_not_truncate")
PADDINGS = (True, False, "longest", "max_length", "do_not_pad")
FUNCTIONS = ("sigmoid", "softmax", "none")
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
        thresholds (`float` or `dict[str, float]`, *optional*): Thresholds in place of the model's own, one for all
            labels or by label. All labels whose probability reaches theirs are returned, at most `top_k` if given.
        truncation (`bool` or `str`, *optional*): Whether to cut long texts, as in the stock pipeline, and not to read
            them in windows.
        max_length (`int`, *optional*): Number of tokens at which texts are cut, or the length of a window. Defaults to
            the model's limit.
        padding (`bool` or `str`, *optional*): `"max_length"` pads all texts to `max_length`. Other values have no
            effect: batches are padded as far as they need, and padding changes no score.
        function_to_apply (`str`, *optional*): `"sigmoid"`, `"softmax"` or `"none"` for other scores than probabilities.
            Thresholds are compared with the probabilities even so.

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
            inputs (`str`, `dict` or an iterable of them, such as a NumPy array or a pandas Series): A text, or a
                dictionary with `text` and, optionally, `text_pair`; other columns are ignored.
            **kwargs: `batch_size`, `num_workers` and the pipeline's own arguments.

        Returns:
            For a single text, a `list[dict]` with `label` and `score`, sorted by score, or, with
            `return_embeddings=True`, a dictionary with this list as `labels` and a `list[float]` as `embedding`. For a
            list, an array or a Series of texts, a list of these; for a generator or a dataset, an iterator over them.

        Raises:
            ValueError: If an input is not a string, is empty or cannot be encoded, or the model does not support an
                argument.
        """
        inputs = with_lists(inputs)
        return [] if isinstance(inputs, list) and not inputs else super().__call__(inputs, **kwargs)

    def get_iterator(self, inputs: Iterable[Any], *args: Any) -> Iterator[Any]:
        return super().get_iterator(CheckedTexts(inputs), *args)

    def _sanitize_parameters(
        self,
        top_k: int | None = _THRESHOLDS,
        stride: int | None = None,
        main_task: str | None = None,
        return_embeddings: bool | None = None,
        thresholds: Any = None,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        padding: bool | str | None = None,
        function_to_apply: Any = None,
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
        if thresholds is not None:
            labels, problem_type, own = self._head(
                main_task or getattr(self, "_postprocess_params", {}).get("main_task")
            )
            if problem_type == "regression":
                raise ValueError("thresholds are for probabilities, but the model predicts numbers (a regression).")
            call_thresholds(thresholds, labels, own)
            postprocess["thresholds"] = thresholds
        for name, value, choices in (("truncation", truncation, TRUNCATIONS), ("padding", padding, PADDINGS)):
            if value is not None:
                if value not in choices or _is_int(value):
                    raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}, got {value!r}.")
                preprocess[name] = value
        if max_length is not None:
            special = self.tokenizer.num_special_tokens_to_add()
            if not _is_int(max_length) or not special < max_length <= self._positions:
                raise ValueError(
                    f"max_length must be an integer above {special}, the special tokens of a text, and at most "
                    f"{self._positions}, the tokens that the model reads; got {max_length!r}."
                )
            preprocess["max_length"] = max_length
        if function_to_apply is not None:
            function = str(getattr(function_to_apply, "name", function_to_apply)).lower()
            if function not in FUNCTIONS:
                raise ValueError(f"function_to_apply must be one of {', '.join(FUNCTIONS)}, got {function_to_apply!r}.")
            postprocess["function_to_apply"] = function
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

    def preprocess(
        self,
        inputs: str | dict[str, str],
        stride: int | None = None,
        truncation: bool | str = False,
        max_length: int | None = None,
        padding: bool | str = False,
    ) -> Iterator[dict[str, Any]]:
        """Yield the windows of a text; usually there is only one."""
        texts = inputs if isinstance(inputs, dict) else {"text": inputs}
        special = self.tokenizer.num_special_tokens_to_add(pair="text_pair" in texts)
        limit = min(self.tokenizer.model_max_length, self._positions) if max_length is None else max_length
        encoding = self.tokenizer(**texts, verbose=False)
        windows = {name: [values] for name, values in encoding.items() if name in self.tokenizer.model_input_names}
        if len(encoding["input_ids"]) > limit:
            cut = truncation not in (False, "do_not_truncate")
            if cut and ("text_pair" in texts or not self.tokenizer.is_fast):
                shorter = self.tokenizer(**texts, truncation=truncation, max_length=int(limit))
                windows = {name: [shorter[name]] for name in windows}
            elif "text_pair" in texts:
                raise ValueError(
                    f"A text pair has {len(encoding['input_ids'])} tokens, but the model reads at most {limit}; only "
                    "single texts can be read in windows. Pass truncation=True to cut it."
                )
            elif not self.tokenizer.is_fast:
                raise ValueError(
                    f"A text has {len(encoding['input_ids'])} tokens, but the model reads at most {limit}; to read it "
                    "in windows, pass a fast tokenizer, or truncation=True to cut it."
                )
            else:
                windows = self._windows(texts["text"], int(limit) - special, 0 if cut else stride, windows)
                if cut:
                    windows = {name: rows[:1] for name, rows in windows.items()}
        # At least 1, so that a text without any known token still has a mean.
        lengths = [max(len(row) - special, 1) for row in windows["input_ids"]]
        if padding == "max_length":
            windows = dict(self.tokenizer.pad(windows, padding="max_length", max_length=self._padded_length(limit)))
        for index, length in enumerate(lengths):
            yield {
                "is_last": index == len(lengths) - 1,
                "num_tokens": length,
                **{name: torch.tensor([rows[index]]) for name, rows in windows.items()},
            }

    def _windows(self, text: str, size: int, stride: int | None, names: Iterable[str]) -> dict[str, list[list[int]]]:
        """The windows of `size` text tokens, each with its special tokens.

        The tokenizer could cut them itself, but it would change its own state to do so, in the middle of what other
        threads have it do.
        """
        stride = size // 4 if stride is None else stride
        if stride >= size:
            raise ValueError(f"stride ({stride}) must be less than {size}, the number of text tokens in a window.")
        encoded = self.tokenizer(text, add_special_tokens=False, verbose=False).encodings[0]
        encoded.truncate(size, stride=stride, direction=self.tokenizer.truncation_side)
        first = self.tokenizer.backend_tokenizer.post_process(encoded, None, True)
        parts = {"input_ids": "ids", "token_type_ids": "type_ids", "attention_mask": "attention_mask"}
        return {name: [getattr(one, parts[name]) for one in (first, *first.overflowing)] for name in names}

    @staticmethod
    def _padded_length(limit: float) -> int:
        if limit > LARGE_INTEGER:
            raise ValueError('padding="max_length" needs max_length: neither the tokenizer nor the model has a limit.')
        return int(limit)

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
        self,
        model_outputs: list[dict[str, Any]],
        top_k: int | None = _THRESHOLDS,
        main_task: str | None = None,
        thresholds: Any = None,
        function_to_apply: str | None = None,
    ) -> list[dict[str, Any]] | dict[str, Any]:
        """Combine the windows of a text into its labels."""
        labels, problem_type, own = self._head(main_task)
        weights = torch.tensor([float(window["num_tokens"]) for window in model_outputs])
        weights = (weights / weights.sum())[:, None]
        logits = torch.cat([window["logits"] for window in model_outputs])
        default = {MULTI_LABEL: "sigmoid", SINGLE_LABEL: "softmax"}.get(problem_type, "none")

        def combined(function: str) -> list[float]:
            values = {"sigmoid": logits.sigmoid(), "softmax": logits.softmax(dim=-1), "none": logits}[function]
            # Shares of a whole are averaged even where a text may have several labels.
            highest = problem_type == MULTI_LABEL and function != "softmax"
            return (values.amax(dim=0) if highest else (weights * values).sum(dim=0)).tolist()

        found = list(zip(labels, combined(function_to_apply or default), strict=True))
        if thresholds is not None or (top_k is _THRESHOLDS and problem_type == MULTI_LABEL):
            needed = own if thresholds is None else call_thresholds(thresholds, labels, own)
            reached = zip(found, combined(default), needed, strict=True)
            found = [entry for entry, probability, threshold in reached if probability >= threshold]
        found.sort(key=lambda entry: entry[1], reverse=True)
        if top_k is _THRESHOLDS:
            top_k = 1 if problem_type == SINGLE_LABEL and thresholds is None else None
        entries = [{"label": label, "score": score} for label, score in found[:top_k]]
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


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


__all__ = ["EmotionClassificationPipeline"]
