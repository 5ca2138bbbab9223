"""The emotion pipeline, for raw texts of any length. This module is saved to the Hub alongside the weights."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import compress
from operator import itemgetter
from types import GeneratorType
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import Pipeline, PreTrainedModel

# transformers copies relative imports alongside the weights, so this one also brings the endpoint handler.
from .classifier_head import MULTI_LABEL, SINGLE_LABEL, ClassifierHead
from .handler import TASK
from .pipeline_batches import Batcher, TextReader, Window, WindowCombiner, padded_length, readable_positions
from .pipeline_inputs import (
    CheckedTexts,
    Results,
    call_thresholds,
    checked_calibrated,
    checked_confidence,
    in_parts,
    with_lists,
)

CUSTOM_PIPELINES = {
    TASK: {
        "impl": "pipeline_emotion.EmotionClassificationPipeline",
        "pt": ["AutoModelForSequenceClassification"],
        "type": "text",
    }
}
# For each family, the classifier output that represents the text.
EMBEDDINGS = {"csr": "common_space", "csr-multitask": "representation"}
TRUNCATIONS = (True, False, "longest_first", "only_first", "only_second", "do_not_truncate")
PADDINGS = (True, False, "longest", "max_length", "do_not_pad")
FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid,
    "softmax": partial(torch.softmax, dim=-1),
    "none": lambda logits: logits,
}
# Tokens in a batch. A CPU is fastest while its caches hold a batch's states, an accelerator while all of it is busy.
CPU_TOKENS, ACCELERATOR_TOKENS = 768, 16384
# Texts that are sorted and held at once. Streams begin with less, so that their first results do not take long.
FIRST_PART, PART = 64, 4096
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


class EmotionClassificationPipeline(Pipeline):
    """
    Classifies raw texts, by default returning only the labels that reach their thresholds.

    Works with [`CSRForSequenceClassification`], [`MultitaskForSequenceClassification`] and any stock
    `AutoModelForSequenceClassification`. Scores are probabilities: sigmoid for multi-label problems (and models with a
    single label), softmax for single-label ones; for regression they are the predicted values.

    Many texts are sorted by length and read in batches of as many tokens as suit the device. Results come in the order
    of the texts. In fp32, how texts are batched changes scores by rounding, of about 1e-6; `batch_size=1` gives exactly
    those of each text alone. The model computes in the precision in which it is loaded: `dtype="bfloat16"` is faster on
    GPUs and on CPUs with AMX or AVX512_BF16, but its scores have two or three correct digits.

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
        calibrated (`bool`, defaults to `False`): Whether scores are calibrated probabilities, if the model's config has
            a `calibration`. The model's own thresholds move with them, so that each text gets the same labels;
            `thresholds` are compared with the scores.
        min_confidence (`float`, *optional*): Leave labels out whose score is lower, so that the model abstains from a
            text of which it is not sure enough: the list of its labels is then empty.

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

    def __call__(
        self, inputs: Any, *, batch_size: int | None = None, num_workers: int | None = None, **kwargs: Any
    ) -> Any:
        """Classify texts.

        Args:
            inputs (`str`, `dict` or an iterable of them, such as a NumPy array or a pandas Series): A text, or a
                dictionary with `text` and, optionally, `text_pair`; other columns are ignored.
            batch_size (`int`, *optional*): Number of texts in a batch, however long they are. By default as many as
                have 768 tokens together on a CPU, and 16,384 on a GPU.
            num_workers (`int`, *optional*): Has no effect: the tokenizer has threads of its own.
            **kwargs: The pipeline's own arguments.

        Returns:
            For a single text, a `list[dict]` with `label` and `score`, sorted by score, or, with
            `return_embeddings=True`, a dictionary with this list as `labels` and a `list[float]` as `embedding`. For a
            list, an array or a Series of texts, a list of these; for a generator or a dataset, an iterator over them,
            which reads up to 4,096 texts ahead, and with `batch_size=1` none.

        Raises:
            ValueError: If an input is not a string, is empty or cannot be encoded, or the model does not support an
                argument.
        """
        own = (self._preprocess_params, self._forward_params, self._postprocess_params)
        call = self._sanitize_parameters(**kwargs)
        batch_size = self._batch_size if batch_size is None else batch_size
        if batch_size is not None and not (_is_int(batch_size) and batch_size > 0):
            raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}.")
        arguments = [{**first, **second} for first, second in zip(own, call, strict=True)]
        classify = partial(self._classify, batch_size=batch_size, arguments=arguments)
        inputs = with_lists(inputs)
        if isinstance(inputs, list):
            texts = list(CheckedTexts(inputs))  # all of them, before any work
            return [result for part in in_parts(texts, PART, PART) for result in classify(part)]
        if not isinstance(inputs, (Dataset, GeneratorType)):
            return classify(list(CheckedTexts([inputs])))[0]
        first, most = (1, 1) if batch_size == 1 else (FIRST_PART, PART)
        return Results(classify, lambda: in_parts(CheckedTexts(inputs), first, most))

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
        calibrated: bool | None = None,
        min_confidence: float | None = None,
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
            is_exported = not isinstance(self.model, PreTrainedModel)
            kind = type(self.model).__name__ if is_exported else self.model.config.model_type
            if return_embeddings and kind not in EMBEDDINGS:
                raise ValueError(
                    f"return_embeddings is not supported by models of type {kind!r}, only by "
                    f"{' and '.join(EMBEDDINGS)}."
                )
            forward["return_embeddings"] = return_embeddings
        task = main_task or getattr(self, "_postprocess_params", {}).get("main_task")
        head = ClassifierHead.of(self.model.config, task)
        if thresholds is not None:
            if head.problem_type == "regression":
                raise ValueError("thresholds are for probabilities, but the model predicts numbers (a regression).")
            call_thresholds(thresholds, head.labels, head.thresholds)
            postprocess["thresholds"] = thresholds
        if calibrated is not None:
            postprocess["calibrated"] = checked_calibrated(calibrated, head, function_to_apply)
        if min_confidence is not None:
            postprocess["min_confidence"] = checked_confidence(min_confidence, head, function_to_apply)
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
        return readable_positions(self.model)

    def _limit(self, max_length: int | None) -> float:
        return min(self.tokenizer.model_max_length, self._positions) if max_length is None else max_length

    def preprocess(
        self,
        inputs: Sequence[dict[str, str]],
        stride: int | None = None,
        truncation: bool | str = False,
        max_length: int | None = None,
        padding: bool | str = False,
    ) -> list[Window]:
        """The windows of texts; usually there is one of each."""
        return TextReader(self.tokenizer, self._limit(max_length), stride, truncation).read(inputs)

    def _batcher(self, batch_size: int | None, max_length: int | None = None, padding: bool | str = False) -> Batcher:
        tokens = CPU_TOKENS if self.device.type == "cpu" else ACCELERATOR_TOKENS
        if getattr(self.model.config, "pad_token_id", 0) is None:
            batch_size = 1  # stock decoders refuse more if they cannot tell padding from text
        return Batcher(self.tokenizer, tokens, batch_size, padded_length(padding, self._limit(max_length)))

    def _forward(
        self, model_inputs: dict[str, torch.Tensor], main_task: str | None = None, return_embeddings: bool = False
    ) -> dict[str, torch.Tensor]:
        output = self.model(**model_inputs)
        logits = output.get("logits") if main_task is None else output["task_logits"][main_task]
        if logits is None:
            raise ValueError(f"{type(self.model).__name__} returns no logits: pass a sequence classification model.")
        if not return_embeddings:
            return {"logits": logits.float()}
        return {"logits": logits.float(), "embedding": output[EMBEDDINGS[self.model.config.model_type]].float()}

    def _classify(
        self,
        texts: Sequence[dict[str, str]],
        batch_size: int | None,
        arguments: Sequence[dict[str, Any]],
    ) -> list[Any]:
        """The results of texts, in their order, with the arguments of the three methods."""
        preprocess, forward, postprocess = arguments
        windows = self.preprocess(texts, **preprocess)
        lengths = {name: preprocess[name] for name in ("max_length", "padding") if name in preprocess}
        batcher = self._batcher(batch_size, **lengths)
        order, outputs = [], []
        for numbers in batcher.batches(windows):
            order += numbers
            outputs.append(self.forward(batcher.join([windows[number] for number in numbers]), **forward))
        joined = outputs[0]
        if len(order) > 1:
            back = torch.tensor(order).argsort()
            joined = {name: torch.cat([output[name] for output in outputs])[back] for name in joined}
        return self.postprocess({"windows": windows, **joined}, **postprocess)

    def postprocess(
        self,
        model_outputs: dict[str, Any],
        top_k: int | None = _THRESHOLDS,
        main_task: str | None = None,
        thresholds: Any = None,
        function_to_apply: str | None = None,
        calibrated: bool = False,
        min_confidence: float = -torch.inf,
    ) -> list[Any]:
        """Combine the windows of each text into its labels."""
        head = ClassifierHead.of(self.model.config, main_task)
        problem_type = head.problem_type
        logits = model_outputs["logits"]
        default = {MULTI_LABEL: "sigmoid", SINGLE_LABEL: "softmax"}.get(problem_type, "none")
        combine = WindowCombiner(model_outputs["windows"])

        def combined(function: str) -> torch.Tensor:
            # Row by row, since the last digit of a sigmoid depends on where in a tensor the number is.
            values = torch.cat([FUNCTIONS[function](row) for row in logits.split(1)])
            # Shares of a whole are averaged even where a text may have several labels.
            highest = problem_type == MULTI_LABEL and function != "softmax"
            return combine.highest(values) if highest else combine.mean(values)

        reached = combined(default)
        scores = combined(function_to_apply) if function_to_apply else reached
        if calibrated:
            scores = head.calibrated(reached)
        found = [list(zip(head.labels, values, strict=True)) for values in scores.tolist()]
        if thresholds is not None or (top_k is _THRESHOLDS and problem_type == MULTI_LABEL):
            needed = head.thresholds
            if thresholds is not None:
                reached, needed = (scores, head.calibrated_thresholds()) if calibrated else (reached, needed)
                needed = call_thresholds(thresholds, head.labels, needed)
            kept = (reached.double() >= torch.tensor(needed, dtype=torch.double)).tolist()
            found = [list(compress(entries, mask)) for entries, mask in zip(found, kept, strict=True)]
        if top_k is _THRESHOLDS:
            top_k = 1 if problem_type == SINGLE_LABEL and thresholds is None else None
        results: list[Any] = []
        for entries in found:
            entries.sort(key=itemgetter(1), reverse=True)
            sure = [entry for entry in entries[:top_k] if entry[1] >= min_confidence]
            results.append([{"label": label, "score": score} for label, score in sure])
        if "embedding" not in model_outputs:
            return results
        embeddings = combine.mean(model_outputs["embedding"]).tolist()
        return [{"labels": one, "embedding": other} for one, other in zip(results, embeddings, strict=True)]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


__all__ = ["EmotionClassificationPipeline"]
