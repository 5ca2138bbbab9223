"""What becomes of rows that cannot be used: an error, or left out and reported."""

import logging
from typing import Any

logger = logging.getLogger(__name__)

BAD_ROWS = ("error", "skip")
# "context": in dialogues, they are read but neither learnt from nor scored.
UNLABELLED_ROWS = ("error", "skip", "context")
# How many unlabelled rows an error message names.
_SHOWN = 3


class RowCheck:
    """
    Collects the rows of a source that are not valid or have no label.

    Args:
        bad_rows (`str`, defaults to `"error"`): Whether the first row that is not valid is an error (`"error"`), or
            such rows are left out (`"skip"`).
        unlabelled_rows (`str`, defaults to `"error"`): The same for rows that nobody has labelled; or `"context"`:
            they are kept, without a label, as parts of dialogues.

    Attributes:
        skipped (`dict[tuple[str, str], str]`): The reason for each row that is left out, by its source and its place in
            it, such as `"line 4"`. A row that is read twice is there once.

    Raises:
        ValueError: If an argument is none of these.
    """

    def __init__(self, bad_rows: str = "error", unlabelled_rows: str = "error") -> None:
        for option, value, known in (
            ("bad_rows", bad_rows, BAD_ROWS),
            ("unlabelled_rows", unlabelled_rows, UNLABELLED_ROWS),
        ):
            if value not in known:
                raise ValueError(f"--{option} must be {' or '.join(known)}, got {value!r}.")
        self.skips_bad_rows = bad_rows == "skip"
        self.skips_unlabelled_rows = unlabelled_rows == "skip"
        self.keeps_unlabelled_rows = unlabelled_rows == "context"
        self.skipped: dict[tuple[str, str], str] = {}
        self._unlabelled: dict[tuple[str, str], None] = {}

    @property
    def skips_rows(self) -> bool:
        """Whether any rows may be left out."""
        return self.skips_bad_rows or self.skips_unlabelled_rows

    def refuse(self, error: ValueError, source: str, place: str) -> None:
        """Leave out a row that is not valid, or raise the error that says why."""
        if not self.skips_bad_rows:
            raise error
        self.skipped[source, place] = str(error).removeprefix(f"{source}, {place}").lstrip(",: ")

    def unlabelled(self, source: str, place: str) -> None:
        """Note a row without a label. [`finish`] raises an error that counts them, if they are one."""
        self._unlabelled[source, place] = None
        if self.skips_unlabelled_rows:
            self.skipped[source, place] = "has no label"

    def finish(self, source: str, option: str = "--unlabelled_rows skip") -> None:
        """Check, at the end of a source, that all its rows have labels, if they must.

        Args:
            source (`str`): The source.
            option (`str`): What leaves such rows out, for the error message.

        Raises:
            ValueError: If a row has no label; the message says how many there are, and where the first ones are.
        """
        places = [place for found, place in self._unlabelled if found == source]
        if not places or self.skips_unlabelled_rows or self.keeps_unlabelled_rows:
            return
        shown = ", ".join(places[:_SHOWN]) + (", ..." if len(places) > _SHOWN else "")
        rows = "1 row has no label" if len(places) == 1 else f"{len(places)} rows have no label"
        raise ValueError(f"{source}: {rows} ({shown}). Label them, or leave them out with {option}.")

    def report(self, source: str) -> list[dict[str, Any]]:
        """The rows of a source that are left out, each with `file`, `line` (or `row`) and `reason`."""
        return [
            {"file": found, place.split()[0]: int(place.split()[1]), "reason": reason}
            for (found, place), reason in self.skipped.items()
            if found == source
        ]


def warn_of_skipped_rows(source: str, skipped: list[dict[str, Any]]) -> None:
    """Say how many rows of a source are left out, and why the first of them is."""
    if skipped:
        first = skipped[0]
        place = f"line {first['line']}" if "line" in first else f"row {first['row']}"
        rows = "1 row is" if len(skipped) == 1 else f"{len(skipped)} rows are"
        logger.warning("%s: %s left out, first %s: %s", source, rows, place, first["reason"])


__all__ = ["BAD_ROWS", "UNLABELLED_ROWS", "RowCheck", "warn_of_skipped_rows"]
