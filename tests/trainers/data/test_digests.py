"""Digests of values and files."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainers.data.digests import digest, file_digest


def test_digest_tells_values_apart_and_nothing_else() -> None:
    value = {"seed": 42, "data": {"emotion": {"name": "posts"}}, "bf16": False}
    turned = {name: value[name] for name in reversed(value)}
    assert digest(turned) == digest(value)
    assert (
        len({digest(value), *(digest(value | change) for change in ({"seed": 7}, {"bf16": True}, {"epochs": 2}))}) == 4
    )
    assert digest([1, 2]) != digest([2, 1]) and digest("1") != digest(1)


def test_digest_is_the_same_in_every_process_and_version() -> None:
    # The first 16 digits of `printf '{"a": "ü", "b": [1, null]}' | sha256sum`: records of earlier runs must stay valid.
    assert digest({"b": [1, None], "a": "ü"}) == "9b22c704c676cc5c"


AWKWARD = [
    "",
    " ",
    "ü €",
    "\U0001f602",
    'say "no"',
    "a\\nb",
    "tab\tnew\nline\r\x00\x1f\x7f",
    "\u2028",
    "[1, 2]",
    "NaN",
]


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, -1, 2**40],
        [[0.0, 1.0], [], [math.nan, 0.1], [1e-8, 1e22, float(np.float32(0.1))]],
        [None, True, {"b": 1, "a": [Path("x")]}, "ü"],
    ],
    ids=["ids", "floats", "others"],
)
def test_digest_of_what_passes_by_is_that_of_the_list(labels: list[Any]) -> None:
    """Records of earlier runs hold digests that were made of the whole lists at once."""
    whole = [AWKWARD, labels]
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, default=str)
    expected = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
    assert (
        digest(whole) == digest(iter([iter(AWKWARD), iter(labels)])) == digest(list(part) for part in whole) == expected
    )
    assert digest(iter(AWKWARD)) == digest(AWKWARD)
    assert digest(iter([])) == digest([]) and digest(iter([iter([])])) == digest([[]]) != digest([])


def test_file_digest_is_of_the_contents(tmp_path: Path) -> None:
    for name, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / name).write_bytes(content)
    # printf one | sha256sum
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b") == "7692c3ad3540bb80"
    assert file_digest(tmp_path / "c") != file_digest(tmp_path / "a")
