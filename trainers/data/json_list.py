"""A list of records in a JSON file, read a piece at a time."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from .lines import open_bytes
from .row_check import RowCheck

# How much is read at a time, and how long a record may be: a quotation mark that is never closed would swallow all of a
# large file.
PIECE, LONGEST_RECORD = 1 << 20, 100_000_000
# No word of JSON is longer: an error this close to the end of what was read may mean that the rest is missing.
_LONGEST_WORD = len("-Infinity")
_BLANKS = re.compile(r"[ \t\n\r]*")


def is_json_list(path: Path) -> bool:
    """Whether a JSON file is a list of records, and not JSON Lines, which often have the same suffix.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or is neither.
    """
    with open_bytes(path) as file:
        text = _JsonText(path, file)
        first = text.next()
        if first == "[":
            return True
        if not first:
            raise ValueError(f"{path} is empty.")
        value = text.value()
        if first == "{" and text.next():
            return False
    raise ValueError(
        f'{path}: expected a list of records, [{{"text": ..., "label": ...}}, ...], got '
        f"{'an object' if first == '{' else repr(value)[:40]}. From pandas, write it with "
        'to_json(path, orient="records").'
    )


def iterate_json_list(path: Path, check: RowCheck) -> Iterator[tuple[int, dict[str, Any]]]:
    """The records of a list, each with its number, from 1; those that are no objects go to `check`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not UTF-8, or not a list in valid JSON.
    """
    with open_bytes(path) as file:
        text = _JsonText(path, file, "surrogateescape" if check.skips_bad_rows else "strict")
        text.take("[")
        number = 0
        while text.next() != "]" or number:
            number += 1
            record = text.value()
            if isinstance(record, dict):
                yield number, record
            else:
                wrong = ValueError(f"{path}, row {number}: expected a JSON object, got {str(record)[:40]!r}.")
                check.refuse(wrong, str(path), f"row {number}")
            if text.next() != ",":
                break
            text.take(",")
        text.take("]")
        if text.next():
            text.fail("Extra data", 0)


class _JsonText:
    """The unread part of a JSON file, as far as it is in memory."""

    def __init__(self, path: Path, file: BinaryIO, undecodable: str = "strict") -> None:
        self._path, self._file = path, file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(undecodable)
        self._text, self._position, self._line, self._is_whole = "", 0, 1, False
        self._value = json.JSONDecoder()

    def next(self) -> str:
        """The next character that is no blank; nothing at the end of the file."""
        while True:
            match = _BLANKS.match(self._text, self._position)
            self._position = match.end() if match else self._position
            if self._position < len(self._text) or not self._read():
                return self._text[self._position : self._position + 1]

    def take(self, expected: str) -> None:
        """Pass over the next character."""
        if self.next() != expected:
            self.fail("Expecting ',' delimiter" if expected == "]" else f"Expecting {expected!r}", 0)
        self._position += 1

    def value(self) -> Any:
        """The next value."""
        self.next()
        while True:
            try:
                value, self._position = self._value.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                unread = error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _LONGEST_WORD
                if not unread or not self._read():
                    self.fail(error.msg, error.pos - self._position)
                continue
            return value

    def fail(self, reason: str, offset: int) -> NoReturn:
        """Raise the error that names the line of what is so many characters ahead."""
        line = self._line + self._text.count("\n", 0, self._position + offset)
        raise ValueError(f"{self._path}, line {line}: not valid JSON ({reason}).")

    def _read(self) -> bool:
        """Read more, as much as is there already, so that a long record is not begun too often."""
        if self._is_whole or len(self._text) - self._position > LONGEST_RECORD:
            return False
        self._line += self._text.count("\n", 0, self._position)
        self._text, self._position = self._text[self._position :], 0
        data = self._file.read(max(PIECE, len(self._text)))
        self._is_whole = not data
        try:
            self._text += self._decoder.decode(data, final=self._is_whole)
        except UnicodeDecodeError as error:
            line = self._line + self._text.count("\n") + error.object.count(b"\n", 0, error.start)
            raise ValueError(
                f"{self._path}, line {line}: not valid UTF-8 ({error.reason}). Save the file as UTF-8."
            ) from error
        return not self._is_whole
