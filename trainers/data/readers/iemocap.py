"""IEMOCAP, five sessions of two actors each: transcripts with the four classes that text-only work uses."""

import logging
import re
from pathlib import Path
from typing import Any

from ..tables import Table, read_table
from ..texts import require_text
from .rows import require_label

logger = logging.getLogger(__name__)

# The codes of the corpus, which copies on the Hub keep. They count "excited" as happy.
IEMOCAP_EMOTIONS = ("ang", "hap", "neu", "sad")

_SPELLINGS = {
    "angry": "ang",
    "anger": "ang",
    "happy": "hap",
    "happiness": "hap",
    "exc": "hap",
    "excited": "hap",
    "excitement": "hap",
    "neutral": "neu",
    "sadness": "sad",
}
# For example Ses01F_impro01_M012: the dialogue, then the speaker.
_UTTERANCE = re.compile(r"(?P<dialogue>Ses\d\d[FM]_(?:impro|script)\d\d(?:_\d)?[a-z]?)_(?P<speaker>[FM])\w*")


def read_iemocap(path: Path) -> list[dict[str, Any]]:
    """Read the transcripts of one session.

    The columns are `text` and `label` (a code, its number or its name in words), as in `Zahra99/IEMOCAP_Text`, and
    optionally `dialogue_id` and `speaker`, or `id` with the corpus's utterance names (`Ses01F_impro01_M012`), which
    encode both. A session without them counts as one conversation with a single speaker, in the order of the file.

    Args:
        path (`Path`): A .csv, .tsv, .jsonl or .parquet file whose name contains `session` and its number, such as
            `session1.csv` or `session1-00000-of-00001.parquet`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`), `labels` (`int`, an index of `IEMOCAP_EMOTIONS`), `group`
        (`str`, the session), `dialogue_id` (`str`), `utterance_id` (`int`, the place in the file) and `speaker`
        (`str`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the name has no session, the file is empty or malformed, a column is missing or a value is not
            valid.
    """
    session = re.search(r"session[_ -]?(\d+)", path.name, re.IGNORECASE)
    if session is None:
        raise ValueError(f"{path}: the file name must contain the session, as in session1{path.suffix}.")
    group = f"session{session[1]}"
    table = read_table(path)
    missing = [name for name in ("text", "label") if name not in table.columns]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(missing)}; the columns are {', '.join(table.columns)}.")
    named = {"dialogue_id", "speaker"} <= set(table.columns)
    if not named and "id" not in table.columns:
        logger.warning(
            "%s has neither dialogue_id and speaker nor id: the session counts as one conversation with one speaker.",
            path,
        )
    rows = []
    for number, cells in enumerate(table.rows):
        dialogue, speaker = group, "-"
        if named:
            dialogue, speaker = (
                require_text(cells[name], table.where(number, name)) for name in ("dialogue_id", "speaker")
            )
        elif "id" in table.columns:
            dialogue, speaker = _place(cells["id"], table.where(number, "id"))
        rows.append(
            {
                "id": f"{group}_{number}",
                "text": require_text(cells["text"], table.where(number, "text")).strip(),
                "labels": _label(table, number),
                "group": group,
                "dialogue_id": dialogue,
                "utterance_id": number,
                "speaker": speaker,
            }
        )
    return rows


def _place(name: Any, place: str) -> tuple[str, str]:
    found = _UTTERANCE.fullmatch(str(name))
    if found is None:
        raise ValueError(f"{place}: expected the name of an utterance such as Ses01F_impro01_M012, got {name!r}.")
    return found["dialogue"], found["speaker"]


def _label(table: Table, number: int) -> int:
    value = str(table.rows[number]["label"]).strip().lower()
    if value.isdecimal() and int(value) < len(IEMOCAP_EMOTIONS):
        return int(value)
    return require_label(_SPELLINGS.get(value, value), IEMOCAP_EMOTIONS, table.where(number, "label"))
