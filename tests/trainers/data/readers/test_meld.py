"""The format of MELD's tables, with invented utterances."""

from pathlib import Path

import pytest

from trainers.data.readers import MELD_EMOTIONS, read_meld

HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
END = '1,2,"00:00:01,000","00:00:02,000"'


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "train_sent_emo.csv"
    path.write_text("\n".join([header, *(f"{row},{END}" for row in rows)]) + "\n", encoding="utf-8")
    return path


def test_utterances_come_dialogue_by_dialogue_in_order(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "1,Later.,Ana,neutral,neutral,10,0",
        '2,"Second, and last.",Ben,joy,positive,2,10',
        "3,First.,Ana,anger,negative,2,9",
    )
    rows = read_meld(path)
    # By number: as texts, "10" would stand before "2" and before "9".
    assert [row["text"] for row in rows] == ["First.", "Second, and last.", "Later."]
    assert rows[0] == {
        "id": "2_9",
        "text": "First.",
        "labels": MELD_EMOTIONS.index("anger"),
        "dialogue_id": "2",
        "utterance_id": 9,
        "speaker": "Ana",
    }


def test_windows_punctuation_and_blanks_are_mended(tmp_path: Path) -> None:
    path = write(tmp_path, "1,  You\x92ve\x85   had\x97it ,Ana\x92s Mum,Joy,positive,0,0")
    (row,) = read_meld(path)
    assert (row["text"], row["speaker"], row["labels"]) == ("You’ve… had—it", "Ana’s Mum", MELD_EMOTIONS.index("joy"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,Hm.,Ana,bored,neutral,0,0", r"line 3, column 'Emotion': unknown label 'bored'; the labels are anger"),
        ("1,  ,Ana,joy,positive,0,0", r"line 3, column 'Utterance': expected a non-empty text"),
        ("1,Hm.,,joy,positive,0,0", r"line 3, column 'Speaker': expected a non-empty text"),
        ("1,Hm.,Ana,joy,positive,0,x", r"line 3, column 'Utterance_ID': expected a whole number, got 'x'"),
        ("1,Hm.,Ana,joy,positive,7,1", r"line 3, column 'Utterance_ID': utterance 1 of dialogue 7 stands there twice"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path, "1,Well.,Ana,joy,positive,7,1", row)
    with pytest.raises(ValueError, match=rf"train_sent_emo\.csv, {message}"):
        read_meld(path)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "train_sent_emo.csv"
    path.write_text("Utterance,Emotion\nWell.,joy\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 1: no column Speaker, Dialogue_ID, Utterance_ID; the columns are"):
        read_meld(path)
