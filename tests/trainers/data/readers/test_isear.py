"""The format of ISEAR, as tiny files with invented texts, with its traps."""

from pathlib import Path

import pytest

from trainers.data.readers import ISEAR_EMOTIONS, read_isear

HEADER = "ID|SUBJ|EMOT|Field1|MYKEY|SIT|STATE|"


def answer(text: str, label: str = "joy", respondent: str = "11001", end: str = "1|") -> str:
    return f"{respondent}|1|1|{label}|0{respondent}1|{text}|{end}"


def isear(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def texts(path: Path, *written: str) -> list[str]:
    return [row["text"] for row in read_isear(isear(path, *map(answer, written)))]


def test_columns(tmp_path: Path) -> None:
    path = isear(tmp_path / "isear.csv", answer("My niece waved at me."), answer("A dog.", "guilt", "11002"))
    assert read_isear(path) == [
        {"id": "0110011", "text": "My niece waved at me.", "labels": 0, "group": "11001"},
        {"id": "0110021", "text": "A dog.", "labels": 6, "group": "11002"},
    ]


def test_labels_as_they_are_written(tmp_path: Path) -> None:
    path = isear(tmp_path / "isear.csv", answer("a", "Shame "), answer("b", "guit"))
    assert [ISEAR_EMOTIONS[row["labels"]] for row in read_isear(path)] == ["shame", "guilt"]


def test_line_breaks_of_the_questionnaire_become_blanks(tmp_path: Path) -> None:
    written = ["When I  saw á the bus.", "When Iá saw it.", "The end. á ", "á \tThe start.", "A fado by Amália."]
    plain = ["When I saw the bus.", "When I saw it.", "The end.", "The start.", "A fado by Amália."]
    assert texts(tmp_path / "isear.csv", *written) == plain


def test_separators_inside_of_a_text(tmp_path: Path) -> None:
    written = [r'I saw á \the bus\" and á|waved,|twice."', r'He said \go\", á|then \"come\"."', r'He said \go.\""']
    plain = ['I saw "the bus" and waved, twice.', 'He said "go", then "come".', 'He said "go."']
    assert texts(tmp_path / "isear.csv", *written) == plain


def test_a_quoted_row_may_end_after_the_text(tmp_path: Path) -> None:
    path = isear(tmp_path / "isear.csv", answer(r"He said á|\go\"", end='1"|'), answer("A dog."))
    assert [row["text"] for row in read_isear(path)] == ['He said "go"', "A dog."]


@pytest.mark.parametrize(
    "text",
    [
        "[ No response.]",
        " [No response.] á ",
        "NO RESPONSE",
        "[ Never experienced.]",
        "[ I have not felt this emotion.]",
        "[ Same as in anger.]",
        "The same as in SHAME.",
        '[ No answer, for reasons. See \\shame\\".]"',
        "[ I do not remember any event.]",
        "Can't remember any such thing.",
        "[ .... has not really happened.]",
        "[]",
        "Blank.",
        "",
    ],
)
def test_what_is_no_answer_is_dropped_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    path = isear(tmp_path / "isear.csv", answer(text), answer("A dog."), answer(text))
    assert [row["text"] for row in read_isear(path)] == ["A dog."]
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [f"{path}: 2 rows without an answer, such as '[ No response.]', are dropped."]
    with pytest.raises(ValueError, match=r"isear\.csv is empty: it has a header and no rows with an answer"):
        read_isear(isear(path, answer(text)))


@pytest.mark.parametrize(
    "text",
    [
        "[ When people do not wave.]",
        "[ On a bus.]",
        "[ When I could not remember the name of the bus.]",
        "[ When I got no response.]",
        "[ I can not remember one alone. I often missed the bus, though.]",
        "I did not remember the bus.",
        "I got no response from my niece.",
        "[ I missed] the bus.",
        "Nothing happened, and that was it.",
    ],
)
def test_answers_are_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    assert texts(tmp_path / "isear.csv", text) == [text]
    assert not caplog.records


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (answer("a", "envy"), r"line 3, column 'Field1': unknown label 'envy'; the labels are joy, fear"),
        ("11001|1|1|joy", r"line 3: 4 columns, but the header has 8"),
    ],
)
def test_malformed(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"isear\.csv, " + message):
        read_isear(isear(tmp_path / "isear.csv", answer("A dog."), row))


def test_another_separator_is_named_by_the_columns(tmp_path: Path) -> None:
    path = isear(tmp_path / "isear.csv", "joy,A dog.", header="Field1,SIT")
    with pytest.raises(ValueError, match=r"isear\.csv, line 1: no column ID, Field1, MYKEY, SIT; the columns are Fie"):
        read_isear(path)
