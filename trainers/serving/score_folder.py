"""The folder of scores: Parquet files that are there whole or not at all, and what they were made of."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from ..data import UNFINISHED, whole_file, write_json

# Readers of folders of Parquet files pass over names that begin with an underscore.
MANIFEST, BAD_ROWS_NAME, LOCK = "_score.json", "_bad_rows.csv", "_score.lock"
_PART = re.compile(r"scores-(\d{12})-(\d{12})\.parquet")


class ScoreFolderError(ValueError):
    """The folder cannot be used for these scores."""


class ScoreFolder:
    """
    A folder of scores. The name of each file says which of the rows it has, counted from 0 over those that are scored.

    Args:
        path (`Path`): The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder and keep other commands out of it. The lock goes with its process, however that ends.

        Raises:
            ScoreFolderError: If another command is at work there.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ScoreFolderError(f"{self.path} is in use by another command that scores into it.") from error
        try:
            yield
        finally:
            lock.release()

    def check(self) -> None:
        """Check that nothing else is in the folder, before it is written to.

        Raises:
            ScoreFolderError: If it is a file, or something else is in it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ScoreFolderError(f"{self.path} is a file; the scores go into a folder. Name another one.")
        others = (
            sorted(found.name for found in self.path.iterdir() if not _is_own(found.name)) if self._is_there else []
        )
        if others:
            raise ScoreFolderError(
                f"{self.path} holds something else ({', '.join(others[:3])}{', ...' if len(others) > 3 else ''}). "
                "Name a new folder for the scores."
            )

    @property
    def _is_there(self) -> bool:
        return self.path.is_dir()

    def clear(self) -> None:
        """Delete all scores. What they were made of goes last, so that no file is ever taken for one of others."""
        for found in sorted(self.path.iterdir(), key=lambda found: found.name == MANIFEST):
            if _is_own(found.name) and found.name != LOCK:
                found.unlink()

    def clear_unfinished(self) -> None:
        """Delete what a killed command has left half-written."""
        for found in self.path.glob(f"*{UNFINISHED}"):
            if _is_own(found.name):
                found.unlink()

    def manifest(self) -> dict[str, Any] | None:
        """What the scores were made of; `None` in a new folder."""
        try:
            found: dict[str, Any] = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ScoreFolderError(f"{self.path / MANIFEST} is damaged. Begin anew with --overwrite.") from error
        return found

    def write_manifest(self, value: Mapping[str, Any]) -> None:
        """Write what the scores were made of."""
        write_json(self.path / MANIFEST, dict(value))
        _sync(self.path)

    def has_part(self, start: int, end: int) -> bool:
        """Whether the file of rows `start` to `end - 1` is there and whole."""
        path = self._part(start, end)
        try:
            return bool(pq.read_metadata(path).num_rows == end - start)
        except (FileNotFoundError, pa.ArrowInvalid):
            return False

    def write_part(self, start: int, table: pa.Table) -> None:
        """Write a file of rows: under another name, until it is on the disk."""
        with whole_file(self._part(start, start + table.num_rows), "wb") as file:
            pq.write_table(table, file, compression="zstd")
        _sync(self.path)

    def _part(self, start: int, end: int) -> Path:
        return self.path / f"scores-{start:012d}-{end - 1:012d}.parquet"


def _is_own(name: str) -> bool:
    name = name.removesuffix(UNFINISHED)
    return name in (MANIFEST, BAD_ROWS_NAME, LOCK) or _PART.fullmatch(name) is not None


def _sync(folder: Path) -> None:
    """Put the names in a folder on the disk, where systems have that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


__all__ = ["BAD_ROWS_NAME", "ScoreFolder", "ScoreFolderError"]
