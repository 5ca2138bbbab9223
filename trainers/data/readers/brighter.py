"""BRIGHTER and SemEval-2025 Task 11: texts in many languages with emotions, or with their intensities."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..tables import Table, read_table
from ..texts import require_text

BRIGHTER_EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
# By the organisers' code, that of the language on Hub cards (ISO 639-1 where there is one, otherwise 639-3).
BRIGHTER_LANGUAGES = {
    "afr": "af",
    "amh": "am",
    "arq": "arq",
    "ary": "ary",
    "chn": "zh",
    "deu": "de",
    "eng": "en",
    "esp": "es",
    "hau": "ha",
    "hin": "hi",
    "ibo": "ig",
    "kin": "rw",
    "mar": "mr",
    "orm": "om",
    "pcm": "pcm",
    "ptbr": "pt",
    "ptmz": "pt",
    "ron": "ro",
    "rus": "ru",
    "som": "so",
    "sun": "su",
    "swa": "sw",
    "swe": "sv",
    "tat": "tt",
    "tir": "ti",
    "ukr": "uk",
    "vmw": "vmw",
    "yor": "yo",
}
# Emotions that were not annotated in a language. Their columns are missing, or blank in copies with all six.
_NOT_ANNOTATED = {"afr": ("surprise",), "eng": ("disgust",)}


def brighter_emotions(language: str) -> tuple[str, ...]:
    """The emotions that were annotated in a language, in the order of `BRIGHTER_EMOTIONS`."""
    return tuple(emotion for emotion in BRIGHTER_EMOTIONS if emotion not in _NOT_ANNOTATED.get(language, ()))


@dataclass(frozen=True)
class BrighterReader:
    """
    Reads a file of BRIGHTER: CSV with a header, `id`, `text`, and a column for each emotion of the language.

    Args:
        labels (`tuple[str, ...]`): Emotions, in the order of the targets: those of one language, or all six.
        highest (`int`, defaults to 1): Highest value of an emotion: 1 for labels (track A), 3 for intensities (track
            B).
    """

    labels: tuple[str, ...]
    highest: int = 1

    def __call__(self, path: Path) -> list[dict[str, Any]]:
        """
        Args:
            path (`Path`): A file named after its language, such as `deu.csv`.

        Returns:
            `list[dict]` with `id` (`str`), `text` (`str`), `labels` (`list[float]`, one per emotion of `labels`: 0 or
            1, or 0 to 3; NaN for an emotion that was not annotated in the language) and `language` (`str`, the
            organisers' code).

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is empty, malformed or not UTF-8, a column is missing, or a value is not valid.
        """
        table = read_table(path)
        language = path.name.partition(".")[0]
        annotated = brighter_emotions(language)
        columns = [emotion for emotion in self.labels if emotion in annotated]
        missing = [column for column in ("id", "text", *columns) if column not in table.columns]
        if missing:
            there = ", ".join(table.columns)
            raise ValueError(f"{path}, line 1: no column {', '.join(missing)}; the columns are {there}.")
        return [
            {
                "id": cells["id"],
                "text": require_text(cells["text"], table.where(number, "text")),
                "labels": [
                    self._value(table, number, emotion) if emotion in columns else math.nan for emotion in self.labels
                ],
                "language": language,
            }
            for number, cells in enumerate(table.rows)
        ]

    def _value(self, table: Table, number: int, emotion: str) -> float:
        value = table.rows[number][emotion].strip()
        allowed = [str(score) for score in range(self.highest + 1)]
        if value in allowed:
            return float(value)
        place = table.where(number, emotion)
        if not value:
            raise ValueError(
                f"{place}: blank. Some test files, such as the English one of track A, were published without labels: "
                "read their texts with a pipeline instead."
            )
        raise ValueError(f"{place}: expected {', '.join(allowed[:-1])} or {allowed[-1]}, got {value!r}.")
