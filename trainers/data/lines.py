"""Lines of text files, compressed or not."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import BinaryIO, cast


def iterate_lines(path: Path, undecodable: str = "strict") -> Iterator[str]:
    """Lines of a UTF-8 text file, without line ends (LF or CRLF), byte order mark and empty lines at the end.

    Args:
        path (`Path`): The file; one whose name ends in .gz is unpacked while it is read.
        undecodable (`str`, defaults to `"strict"`): `"strict"`: bytes that are not UTF-8 are an error.
            `"surrogateescape"`: they become lone surrogates, which [`~trainers.data.texts.require_text`] refuses.

    Yields:
        `str`, at least once.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty, not UTF-8 or a damaged archive; the message names the line.
    """
    empty, blank = True, 0
    for number, data in enumerate(_byte_lines(path), start=1):
        try:
            line = data.decode("utf-8", undecodable)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}, line {number}: not valid UTF-8 ({error.reason}). Save the file as UTF-8."
            ) from error
        line = (line.removeprefix("\ufeff") if number == 1 else line).removesuffix("\n").removesuffix("\r")
        if not line:
            blank += 1
            continue
        # Empty lines count only if something follows.
        yield from repeat("", blank)
        yield line
        empty, blank = False, 0
    if empty:
        raise ValueError(f"{path} is empty.")


def read_lines(path: Path) -> list[str]:
    """What [`iterate_lines`] gives, as a list."""
    return list(iterate_lines(path))


def require_file(path: Path) -> None:
    """Raise a `FileNotFoundError` if there is no such file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist.")


def _byte_lines(path: Path) -> Iterator[bytes]:
    """Read as bytes, lines end at LF only, not at characters inside texts such as U+2028."""
    with open_bytes(path) as file:
        yield from file


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading; one whose name ends in .gz is unpacked while it is read.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: On reading, if it is a damaged archive.
    """
    require_file(path)
    if path.suffix.lower() != ".gz":
        with path.open("rb") as file:
            yield file
        return
    try:
        with gzip.open(path, "rb") as unpacked:
            yield cast(BinaryIO, unpacked)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a complete gzip file ({error}). Compress it anew.") from error
