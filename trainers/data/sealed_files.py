"""Files that are written whole, and whose size and hash are kept so that damage is noticed."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from .digests import file_digest
from .whole_files import UNFINISHED, clear_folder, write_json

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seal:
    """
    Size and hash of a file.

    Args:
        size (`int`): Size in bytes.
        digest (`str`): A short hash of the contents.
    """

    size: int
    digest: str

    @classmethod
    def of(cls, path: str | os.PathLike) -> "Seal":
        """The seal of a file, whose contents are on the disk by then."""
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        return cls(os.path.getsize(path), file_digest(path))

    def damage(self, path: Path) -> str | None:
        """What is wrong with a file, in a few words; `None` if it is as it was."""
        if not path.is_file():
            return f"{path} is missing"
        size = path.stat().st_size
        if size != self.size:
            return f"{path} has {size:,} bytes instead of {self.size:,}"
        return None if file_digest(path) == self.digest else f"{path} has other contents than were written"


def damages(folder: Path, seals: Mapping[str, Seal]) -> list[str]:
    """What is wrong with the files of a folder, one line each."""
    return [found for name, seal in seals.items() if (found := seal.damage(folder / name))]


def write_sealed(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under a temporary name, and its seal next to it.

    A killed process leaves nothing under the file's name, or a file without its seal, which counts as damaged.

    Args:
        path (`Path`): The file to write.
        write (`Callable`): Writes the path that it is given.

    Raises:
        ValueError: If there is a folder with contents in the place of the file or its seal.
    """
    clear_folder(path)
    clear_folder(_seal_path(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        write(unfinished)
        seal = Seal.of(unfinished)
        _seal_path(path).unlink(missing_ok=True)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    write_json(_seal_path(path), asdict(seal))


def is_whole(path: Path) -> bool:
    """Whether a file from [`write_sealed`] is there as it was written. Damage is logged."""
    if not path.is_file():
        if path.is_dir():
            logger.warning("%s is a folder: it is made anew, as a file.", path)
        return False
    try:
        seal = Seal(**json.loads(_seal_path(path).read_text(encoding="utf-8")))
    except (FileNotFoundError, IsADirectoryError, ValueError, TypeError):
        return False  # its writer was killed, or it was damaged
    found = seal.damage(path)
    if found:
        logger.warning("%s: it is made anew.", found)
    return found is None


def seal_damage(path: Path) -> str | None:
    """What is wrong with a file that another library wrote; `None` if it is as it was when it was first seen.

    It is then sealed, unless its folder cannot be written.
    """
    seal_path = _seal_path(path)
    try:
        seal = Seal(**json.loads(seal_path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        if os.access(path.parent, os.W_OK):
            write_json(seal_path, asdict(Seal.of(path)))
        return None
    except (ValueError, TypeError):
        return f"{seal_path}, which says what {path.name} was like, is damaged"
    return seal.damage(path)


def sealed_array(path: Path, write: Callable[[Path], None]) -> np.ndarray:
    """An array from a file, which is written first if it is not there or damaged.

    Args:
        path (`Path`): The `.npy` file. Its name must identify everything the array depends on.
        write (`Callable`): Writes the array to the path that it is given.

    Returns:
        `np.ndarray`: The array, memory-mapped copy-on-write, since torch wants writable memory.
    """
    if not is_whole(path):
        write_sealed(path, write)
    return np.load(path, mmap_mode="c")


def _seal_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.seal.json")
