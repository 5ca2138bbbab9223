"""MELD, the Multimodal EmotionLines Dataset: utterances of the series Friends, in dialogues."""

from pathlib import Path
from typing import Any

from ..tables import read_table
from ..texts import require_text
from .rows import require_label

MELD_EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")

_COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")
# The first releases of the files contain punctuation from Windows code page 1252 read as Latin-1.
_WINDOWS = {code: character for code in range(0x80, 0xA0) if (character := bytes([code]).decode("cp1252", "ignore"))}


def read_meld(path: Path) -> list[dict[str, Any]]:
    """Read one of MELD's tables of utterances.

    Rows are returned dialogue by dialogue, each in order, wherever they are in the file. Punctuation saved in the
    Windows encoding, common in the first releases of the files, is repaired.

    Args:
        path (`Path`): A file such as `train_sent_emo.csv`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`), `labels` (`int`, an index of `MELD_EMOTIONS`), `dialogue_id`
        (`str`), `utterance_id` (`int`, the place in the dialogue) and `speaker` (`str`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty, malformed or not UTF-8, a column is missing, a value is not valid or an
            utterance stands there twice.
    """
    table = read_table(path)
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise ValueError(f"{path}, line 1: no column {', '.join(missing)}; the columns are {', '.join(table.columns)}.")
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for number, cells in enumerate(table.rows):
        text = require_text(_mend(cells["Utterance"]), table.where(number, "Utterance"))
        speaker = require_text(_mend(cells["Speaker"]), table.where(number, "Speaker"))
        emotion = cells["Emotion"].strip().lower()
        dialogue, utterance = (_number(cells[name], table.where(number, name)) for name in _COLUMNS[3:])
        if (dialogue, utterance) in rows:
            place = table.where(number, "Utterance_ID")
            raise ValueError(f"{place}: utterance {utterance} of dialogue {dialogue} stands there twice.")
        rows[dialogue, utterance] = {
            "id": f"{dialogue}_{utterance}",
            "text": text,
            "labels": require_label(emotion, MELD_EMOTIONS, table.where(number, "Emotion")),
            "dialogue_id": str(dialogue),
            "utterance_id": utterance,
            "speaker": speaker,
        }
    return [rows[key] for key in sorted(rows)]


def _mend(text: str) -> str:
    """The text without stray spaces, and with the intended punctuation."""
    return " ".join(text.translate(_WINDOWS).split())


def _number(value: str, place: str) -> int:
    if not value.strip().isdecimal():
        raise ValueError(f"{place}: expected a whole number, got {value!r}.")
    return int(value)
