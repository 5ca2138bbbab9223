"""What people pass to the emotion pipeline: texts, and options of one call. Saved alongside the pipeline."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from numbers import Real
from types import GeneratorType
from typing import Any

from torch.utils.data import Dataset

from .classifier_head import ClassifierHead


def text_problem(text: Any) -> str | None:
    """Why `text` cannot be read, or `None` if it can."""
    if not isinstance(text, str):
        return f"must be a string, got {type(text).__name__}."
    if not text.strip():
        return "is empty: remove inputs without text."
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = text[error.start].encode("ascii", "backslashreplace").decode()
        return (
            f"has half of a surrogate pair, {half}, at character {error.start}, as texts have that were cut inside an "
            'emoji. Replace it: text.encode("utf-8", "replace").decode("utf-8").'
        )
    return None


def with_lists(inputs: Any) -> Any:
    """`inputs`, with sequences, NumPy arrays and pandas Series as lists and other iterables as generators."""
    if isinstance(inputs, (str, bytes, dict, list, Dataset, GeneratorType)):
        return inputs
    if hasattr(inputs, "tolist"):
        return inputs.tolist()
    if isinstance(inputs, Sequence):
        return list(inputs)
    return (item for item in inputs) if isinstance(inputs, Iterable) else inputs


class CheckedTexts:
    """Inputs of a call, validated while they are iterated over; like a dataset, they can be read repeatedly.

    Args:
        inputs (`Iterable`): Texts, or dictionaries with `text` and, optionally, `text_pair`.

    Raises:
        ValueError: When an input is reached that cannot be read; the message names it by its position.
    """

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
                if problem := text_problem(text):
                    raise ValueError(f"{where} {problem}")
            yield texts


def in_parts(texts: Iterable[Any], first: int, most: int) -> Iterator[list[Any]]:
    """Lists of `first` texts, then of twice as many each time, up to `most`.

    A fault among the texts is raised behind the part that ends with it, so that a stream yields what came before.
    """
    remaining, size, fault = iter(texts), first, None
    while fault is None:
        part: list[Any] = []
        try:
            for text in islice(remaining, size):
                part.append(text)
        except Exception as error:
            fault = error
        if part:
            yield part
        elif fault is None:
            return
        size = min(2 * size, most)
    raise fault


class Results:
    """The results of a stream, computed as they are needed. Like those of the stock pipeline, they can be read again
    if the texts can.

    Args:
        classify (`Callable`): Gives the results of a list of texts.
        parts (`Callable`): Starts to read the texts, as lists.
    """

    def __init__(self, classify: Callable[[list[Any]], list[Any]], parts: Callable[[], Iterator[list[Any]]]) -> None:
        self.classify = classify
        self.parts = parts
        self.results: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        self.results = chain.from_iterable(map(self.classify, self.parts()))
        return self

    def __next__(self) -> Any:
        return next(self.results if self.results is not None else iter(self))


def call_thresholds(thresholds: Any, labels: Sequence[str], own: Sequence[float]) -> list[float]:
    """Thresholds for one call.

    Args:
        thresholds (`float` or `Mapping[str, float]`): One for all labels, or by label; labels that it leaves out keep
            their own.
        labels (`Sequence[str]`): The labels of the model.
        own (`Sequence[float]`): The thresholds of the model.

    Raises:
        ValueError: If a threshold is no probability, or there is no such label.
    """
    if not isinstance(thresholds, Mapping):
        thresholds = dict.fromkeys(labels, thresholds)
    for label, value in thresholds.items():
        if label not in labels:
            raise ValueError(f"thresholds has {label!r}, which is not a label of the model: {', '.join(labels)}.")
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
            raise ValueError(f"thresholds must be numbers from 0 to 1, one or by label, got {value!r}.")
    return [float(thresholds.get(label, threshold)) for label, threshold in zip(labels, own, strict=True)]


def checked_calibrated(calibrated: Any, head: ClassifierHead, function_to_apply: Any) -> bool:
    """Whether scores are to be calibrated.

    Raises:
        ValueError: If it is not `True` or `False`, there is no calibration, or other scores are asked for.
    """
    if not isinstance(calibrated, bool):
        raise ValueError(f"calibrated must be True or False, got {calibrated!r}.")
    if calibrated:
        head.check_calibrated()
        if function_to_apply is not None:
            raise ValueError("calibrated=True gives probabilities: leave function_to_apply out.")
    return calibrated


def checked_confidence(confidence: Any, head: ClassifierHead, function_to_apply: Any) -> float:
    """The probability below which labels are left out.

    Raises:
        ValueError: If it is no probability, or the scores are none.
    """
    if isinstance(confidence, bool) or not isinstance(confidence, Real) or not 0 <= float(confidence) <= 1:
        raise ValueError(f"min_confidence must be a number from 0 to 1, got {confidence!r}.")
    if head.problem_type == "regression":
        raise ValueError("min_confidence is for probabilities, but the model predicts numbers (a regression).")
    if function_to_apply is not None:
        raise ValueError("min_confidence is compared with probabilities: leave function_to_apply out.")
    return float(confidence)


__all__ = [
    "CheckedTexts",
    "Results",
    "call_thresholds",
    "checked_calibrated",
    "checked_confidence",
    "in_parts",
    "text_problem",
    "with_lists",
]
