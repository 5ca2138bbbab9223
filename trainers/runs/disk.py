"""A full disk, by name."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

# With less than this left, in bytes, a failed write has a full disk for its reason.
NOTHING_LEFT = 1_000_000


class DiskFullError(RuntimeError):
    """There is no room to write."""


@contextmanager
def naming_a_full_disk(output_dir: Path) -> Iterator[None]:
    """Turn the errors that libraries raise on a full disk into one that names it.

    Args:
        output_dir (`Path`): The run's folder.

    Raises:
        DiskFullError: If writing failed for want of room.
    """
    try:
        yield
    # torch and safetensors have errors of their own for it, in which the reason is lost.
    except (OSError, RuntimeError, SafetensorError) as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        free = shutil.disk_usage(output_dir).free
        if not full and free >= NOTHING_LEFT:
            raise
        file = getattr(error, "filename", None) or output_dir
        raise DiskFullError(
            f"The disk is full: {file} could not be written, {free / 1e6:.0f} MB are free at {output_dir}. Make room "
            "and repeat the command: it goes on from its last checkpoint."
        ) from error
