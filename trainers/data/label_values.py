"""What the values of a label column mean, in files and in memory alike."""

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Sequence
from typing import Any

import numpy as np

# CSV has strings, JSON and Parquet have numbers or booleans: all are compared in writing.
_ZERO_ONE = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
_NUMPY_NUMBERS = re.compile(r"\[\s*[\d.]+(\s+[\d.]+)+\s*\]")
# What people write for "nobody has labelled this".
NOT_ANNOTATED = -1
# The class id of a text without one, which losses pass over, as in torch.
NO_CLASS = -100


def is_labelled(targets: np.ndarray) -> np.ndarray:
    """Whether anybody has annotated a text: all but utterances that are context alone.

    Args:
        targets (`np.ndarray`): Class ids `(texts,)`, or multi-hot `(texts, num_labels)`, NaN where nobody annotated.

    Returns:
        `np.ndarray` of shape `(texts,)`, booleans.
    """
    return targets >= 0 if targets.ndim == 1 else ~np.isnan(targets).all(axis=1)


def read_value(value: Any, place: str, known: Sequence[str] = ()) -> Any:
    """The value of a label column, as it was before a file format or pandas changed it.

    Args:
        value (`Any`): A cell: a string, a number, a boolean, a list or nothing.
        place (`str`): Where it is, for the error message.
        known (`Sequence[str]`): Labels; a string that is one of them is left as it is.

    Returns:
        `None` for a blank string, NaN or null; a list for a string that can only be one, such as `"['joy', 'calm']"`
        or `"[0, 1]"`; an integer for a whole float, which pandas makes of integers with gaps; otherwise the value.

    Raises:
        ValueError: If a string is a list as NumPy writes it, which cannot be told apart for certain.
    """
    if isinstance(value, float):
        return None if math.isnan(value) else int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [read_value(one, place, known) if isinstance(one, float) else one for one in value]
    if not isinstance(value, str) or value in known:
        return value
    return _read_list(value, place) if value.strip() else None


def is_not_annotated(value: Any, known: Sequence[str]) -> bool:
    """Whether a label, or one of a list, is -1, and that is not the name of a label."""
    values = value if isinstance(value, list) else [value]
    absent = str(NOT_ANNOTATED)
    return absent not in known and any(not isinstance(one, bool) and str(one) in (absent, "-1.0") for one in values)


def zero_or_one(value: Any) -> int | None:
    """0 or 1 for a number, a boolean or either in writing (TRUE, 0.0); 0 for a blank cell; `None` for anything else."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return 0
    written = str(value)
    if written in _ZERO_ONE:  # nearly always
        return _ZERO_ONE[written]
    written = written.strip().lower()
    return _ZERO_ONE.get(written) if written else 0


def whole_number(value: Any) -> int | None:
    """An integer for a whole number, also in writing (`"3"`, `"3.0"`); `None` for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d+(\.0+)?\s*", value):
        return int(value.strip().partition(".")[0])
    return value if isinstance(value, int) else None


def _read_list(value: str, place: str) -> str | list[Any]:
    """The list that a string can only be, or the string."""
    written = value.strip()
    if not (written.startswith("[") and written.endswith("]")):
        return value
    if _NUMPY_NUMBERS.fullmatch(written):
        raise ValueError(_like_numpy(value, place))
    try:
        found = json.loads(written)
    except json.JSONDecodeError:
        try:
            found = ast.literal_eval(written)
        except (ValueError, SyntaxError):
            return value  # a label in square brackets
        # Python joins strings without a comma between them, of which NumPy's are full.
        strings = [
            token for token in tokenize.generate_tokens(io.StringIO(written).readline) if token.type == tokenize.STRING
        ]
        if len(strings) > len(found):
            raise ValueError(_like_numpy(value, place)) from None
    plain = all(isinstance(one, str | int | float) for one in found)
    return [read_value(one, place, found) for one in found] if plain else value


def _like_numpy(value: str, place: str) -> str:
    return (
        f"{place}: {value!r} looks like a list as NumPy writes it, whose parts cannot be told apart for certain. Turn "
        "the arrays into lists (.tolist()) before the file is written, or use .jsonl."
    )
