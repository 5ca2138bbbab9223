"""What may happen to a file."""

import os
from collections.abc import Callable
from pathlib import Path


def flip_a_bit(path: Path) -> None:
    contents = bytearray(path.read_bytes())
    if contents:
        contents[len(contents) // 2] ^= 4
    path.write_bytes(contents)


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero_half(path: Path) -> None:
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: size // 2] + bytes(size - size // 2))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "halved": halve,
    "a flipped bit": flip_a_bit,
    "half of it zeros": zero_half,
}
