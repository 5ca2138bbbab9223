"""Names of labels: their order, and names that look like mistakes."""

import logging
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from .texts import require_encodable

logger = logging.getLogger(__name__)

_SEPARATORS = re.compile(r"[;|,]")
# One 0 or 1 per label, as in "1 0 1".
_BITS = re.compile(r"[01](\.0)?([\s;|,]+[01](\.0)?)+")


def sort_names(names: Iterable[str]) -> list[str]:
    """Label names in the order of the label space: sorted, integers by value."""
    names = list(names)
    integers = all(re.fullmatch(r"-?\d+", name) for name in names)
    return sorted(names, key=int) if integers else sorted(names)


def parts_of(name: str, labels: Collection[str]) -> list[str]:
    """The labels that a string such as `"joy;calm"` seems to list: all its parts, if any is in `labels`; or none."""
    parts = _parts(name)
    return parts if len(parts) > 1 and all(parts) and any(part in labels for part in parts) else []


def _parts(name: str) -> list[str]:
    return [part.strip(" []{}()'\"") for part in _SEPARATORS.split(name)]


def check_single_names(places: Mapping[str, str]) -> None:
    """Check that no label is several in one string.

    Args:
        places (`Mapping[str, str]`): By label, where it occurs first.

    Raises:
        ValueError: If a part of a label such as `"joy;calm"` is a label itself, or part of another such label, or a
            label is a row of 0 and 1.
    """
    for name, place in places.items():
        if _BITS.fullmatch(name.strip()):
            raise ValueError(
                f"{place}: {name!r} looks like a 0 or 1 for each label. Write it as a list, [0, 1], and name the "
                "labels, in the same order, in label_names."
            )
    shared: dict[str, int] = {}
    for name in places:
        for part in set(_parts(name)):
            shared[part] = shared.get(part, 0) + 1
    elsewhere = {part for part, count in shared.items() if count > 1}
    for name, place in places.items():
        parts = parts_of(name, elsewhere)
        if parts:
            raise ValueError(
                f"{place}: {name!r} looks like several labels, {', '.join(parts)}. Write lists, "
                f'["{parts[0]}", "{parts[1]}"], in all rows (a text without labels has []), or one 0/1 column per '
                "label. If it is a single label, name all labels in label_names."
            )


def warn_of_similar_names(source: str, counts: Mapping[str, int]) -> None:
    """Warn of labels that differ only in case, blanks or `.0`, with the number of their rows.

    Args:
        source (`str`): What the message calls the data.
        counts (`Mapping[str, int]`): Rows by label.
    """
    alike: dict[str, list[str]] = {}
    for name in counts:
        alike.setdefault(re.sub(r"\.0$", "", " ".join(name.split()).casefold()), []).append(name)
    for names in alike.values():
        if len(names) == 1:
            continue
        shown = ", ".join(f"{name!r} ({counts[name]} {'row' if counts[name] == 1 else 'rows'})" for name in names)
        blanks = [name for name in names if name != name.strip()]
        why = f"; {', '.join(map(repr, blanks))} has blanks at its ends" if blanks else ""
        logger.warning(
            "%s: labels that look alike count as different ones: %s%s. Write them alike if they are one label.",
            source,
            shown,
            why,
        )


def warn_of_separators(source: str, names: Iterable[str]) -> None:
    """Warn of labels that might be several, though nothing in the data shows it: those with `;` or `|` inside."""
    found = [name for name in names if re.search(r"\S\s*[;|]\s*\S", name)]
    if found:
        logger.warning(
            "%s: %d labels have ; or | in them, such as %r, and count as one label each. Write lists if they are "
            "several labels.",
            source,
            len(found),
            found[0],
        )


def check_label_names(names: Sequence[str] | None, option: str = "label_names") -> None:
    """Check label names that are given as an option.

    Raises:
        ValueError: If there are none, a name is blank or cannot be encoded, or one is given twice.
    """
    if names is None:
        return
    if isinstance(names, str) or not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise ValueError(f"{option}: expected a list of label names, got {names!r}.")
    for name in names:
        require_encodable(name, option)
    require_distinct(names, option)


def require_distinct(names: Sequence[str], option: str) -> None:
    """Check that no label or column is given twice.

    Raises:
        ValueError: If one is; the message names it.
    """
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice:
        raise ValueError(f"{option} {' '.join(names)}: {twice[0]!r} is given twice; give each once.")
