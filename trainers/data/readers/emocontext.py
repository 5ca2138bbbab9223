"""EmoContext, SemEval-2019 Task 3: conversations of three turns, the last of which is labelled."""

from pathlib import Path
from typing import Any

from ..label_values import NO_CLASS
from ..lines import read_lines
from ..texts import require_text
from .rows import require_label

EMOCONTEXT_EMOTIONS = ("angry", "happy", "others", "sad")

_TURNS = ("turn1", "turn2", "turn3")


def read_emocontext(path: Path) -> list[dict[str, Any]]:
    """Read a file of EmoContext: tab-separated, with the header `id turn1 turn2 turn3 label`, quotation marks literal.

    Each line is a conversation of a user with an agent. The label belongs to the user's last turn; the two turns before
    it are utterances without a label, to be read as context. Of these, blank ones are left out.

    Args:
        path (`Path`): A file such as `train.txt`.

    Returns:
        `list[dict]`, up to three per line, with `id` (`str`), `text` (`str`), `labels` (`int`, an index of
        `EMOCONTEXT_EMOTIONS`, or -100 for context), `dialogue_id` (`str`, the line's id), `utterance_id` (`int`, from
        0) and `speaker` (`str`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, a column is missing, as the label is in the files that were
            published for predictions, an id occurs twice, or a row is malformed.
    """
    header, *lines = read_lines(path)
    columns = header.split("\t")
    missing = [name for name in ("id", *_TURNS, "label") if name not in columns]
    if missing:
        raise ValueError(f"{path}, line 1: no column {', '.join(missing)}; the columns are {', '.join(columns)}.")
    rows: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=2):
        values = line.split("\t")
        if len(values) != len(columns):
            raise ValueError(f"{path}, line {number}: {len(values)} columns, but the header has {len(columns)}.")
        cells = dict(zip(columns, values, strict=True))
        dialogue = require_text(cells["id"], f"{path}, line {number}, column 'id'").strip()
        if seen.setdefault(dialogue, number) != number:
            raise ValueError(f"{path}, line {number}: the id {dialogue} stands in line {seen[dialogue]}, too.")
        label = require_label(
            cells["label"].strip().lower(), EMOCONTEXT_EMOTIONS, f"{path}, line {number}, column 'label'"
        )
        for place, turn in enumerate(_TURNS):
            last = turn == _TURNS[-1]
            if not (last or cells[turn].strip()):
                continue
            rows.append(
                {
                    "id": f"{dialogue}_{place}",
                    "text": require_text(cells[turn], f"{path}, line {number}, column {turn!r}").strip(),
                    "labels": label if last else NO_CLASS,
                    "dialogue_id": dialogue,
                    "utterance_id": place,
                    "speaker": "agent" if turn == "turn2" else "user",
                }
            )
    if not rows:
        raise ValueError(f"{path} is empty: it has a header and no rows.")
    return rows
