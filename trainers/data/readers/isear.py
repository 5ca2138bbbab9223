"""ISEAR, the International Survey on Emotion Antecedents and Reactions: answers of students in 37 countries."""

import logging
import re
from pathlib import Path
from typing import Any

from ..lines import read_lines
from .rows import require_label

logger = logging.getLogger(__name__)

# In the order in which the survey asked for them (column EMOT).
ISEAR_EMOTIONS = ("joy", "fear", "anger", "sadness", "disgust", "shame", "guilt")
_MISSPELT = {"guit": "guilt"}

# A whole text in brackets is a remark of the respondent or of who typed it in. Many describe situations, though
# ("[ When I am treated unfairly.]"): what goes are those of one sentence that say that there is no answer.
_NO_ANSWER = re.compile(
    r"^no (?:response|answer|description|situation|incident)\b|not applicable|does not apply|^(?:none|nothing|blank)$"
    r"|^(?:the )?same as|^as for|previous incident|do not feel (?:this|ashamed|disgusted)|not really happened"
    r"|never (?:felt|experienced|happened|had (?:this|the|such|any))|have not (?:felt|experienced)"
    r"|^(?:i )?(?:do not|don't) know"
    r"|(?:do not|don't|can ?not|can't|unable to|difficult to) (?:remember|recall|think of)",
    re.IGNORECASE,
)
# Without brackets, only what can be nothing else.
_PLAIN_NO_ANSWER = re.compile(
    r"no (?:response|answer|description)|none|nothing|blank|not applicable|does not apply"
    r"|(?:the )?same as (?:in |for )?\w+|as for \w+"
    r"|(?:i )?(?:do not|don't|can ?not|can't) (?:know|think of any(?:thing)?|(?:remember|recall)\b[^.]{,50})"
    r"|(?:i have )?never (?:really )?(?:felt|had|experienced)"
    r"(?: (?:this|the|that) (?:emotion|feeling|experience)\b[^.]{,50})?",
    re.IGNORECASE,
)


def read_isear(path: Path) -> list[dict[str, Any]]:
    """Read ISEAR's table: columns between `|`, with a header, and `|` inside texts as well.

    Columns are counted from both ends of a line. The placeholders for line breaks (`á` and, in quoted rows, `|`)
    become spaces, and quotation marks in quoted rows are repaired: `\\word\\"` was `"word"`. Texts that only say that
    there is no answer, such as "[ No response.]", are dropped and counted in a warning.

    Args:
        path (`Path`): A file such as `isear.csv`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`), `labels` (`int`, an index of `ISEAR_EMOTIONS`) and `group`
        (`str`, the respondent, who wrote one text per emotion).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, a column is missing, or a row is malformed.
    """
    lines = read_lines(path)
    header = lines[0].split("|")
    missing = [name for name in ("ID", "Field1", "MYKEY", "SIT") if name not in header]
    if missing:
        raise ValueError(f"{path}, line 1: no column {', '.join(missing)}; the columns are {', '.join(header)}.")
    start = header.index("SIT")
    after = len(header) - start - 1
    rows: list[dict[str, Any]] = []
    dropped = 0
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("|")
        if len(cells) < len(header):
            raise ValueError(f"{path}, line {number}: {len(cells)} columns, but the header has {len(header)}.")
        end = len(cells) - after
        row = dict(zip(header, [*cells[:start], "|".join(cells[start:end]), *cells[end:]], strict=True))
        label = row["Field1"].strip().lower()
        label_id = require_label(_MISSPELT.get(label, label), ISEAR_EMOTIONS, f"{path}, line {number}, column 'Field1'")
        text = _clean(row["SIT"], closed='"' not in "".join(cells[end:]))
        if _is_no_answer(text):
            dropped += 1
            continue
        rows.append({"id": row["MYKEY"], "text": text, "labels": label_id, "group": row["ID"]})
    if dropped:
        logger.warning("%s: %d rows without an answer, such as '[ No response.]', are dropped.", path, dropped)
    if not rows:
        raise ValueError(f"{path} is empty: it has a header and no rows with an answer.")
    return rows


def _clean(text: str, closed: bool) -> str:
    """`closed`: whether the text ends where the row does, so that a closing quotation mark belongs to the row."""
    if "\\" in text:
        if closed:
            text = text.removesuffix('"')
        text = text.replace('\\"', '"').replace("\\", '"')
    # An á inside a word may be intended; a stray one is followed by a space.
    return " ".join(re.sub(r"á(?!\w)|\|", " ", text).split())


def _is_no_answer(text: str) -> bool:
    remark = re.fullmatch(r"\[\s*(.*?)[\s.]*\]\W*", text)
    if remark is None:
        return not text or _PLAIN_NO_ANSWER.fullmatch(text.rstrip(" .")) is not None
    one_sentence = re.search(r"\w[.!?]+ ", remark[1]) is None
    says_so = _NO_ANSWER.search(remark[1]) if one_sentence else re.match("no (?:response|answer)", remark[1], re.I)
    return not remark[1] or says_so is not None
