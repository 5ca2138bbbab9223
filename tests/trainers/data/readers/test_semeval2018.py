"""The formats of SemEval-2018 Task 1, as tiny files with invented texts, with their traps."""

from pathlib import Path

import pytest

from trainers.data.readers import EMOTIONS, read_semeval2018_ec, read_semeval2018_ei_reg

EC_HEADER = "ID\tTweet\t" + "\t".join(EMOTIONS)
NONE = "\t0" * 11
JOY_AND_LOVE = "\t0\t0\t0\t0\t1\t1\t0\t0\t0\t0\t0"
EI_HEADER = "ID\tTweet\tAffect Dimension\tIntensity Score"


def table(path: Path, *rows: str, header: str = EC_HEADER, end: str = "\n") -> Path:
    path.write_bytes(end.join([header, *rows, ""]).encode())
    return path


# -- E-c ---


def test_ec_labels_are_multi_hot_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = read_semeval2018_ec(table(tmp_path / "ec.txt", "2018-En-1\tmy niece waved at me" + JOY_AND_LOVE))
    assert rows == [{"id": "2018-En-1", "text": "my niece waved at me", "labels": [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]}]


def test_ec_keeps_rows_without_a_label_and_repeated_texts(tmp_path: Path) -> None:
    path = table(tmp_path / "ec.txt", "1\tthe bus is here" + NONE, "2\tthe bus is here" + JOY_AND_LOVE)
    rows = read_semeval2018_ec(path)
    assert [row["text"] for row in rows] == ["the bus is here"] * 2
    assert [sum(row["labels"]) for row in rows] == [0, 2]


def test_ec_reads_columns_by_name(tmp_path: Path) -> None:
    header = "ID\tTweet\t" + "\t".join(reversed(EMOTIONS))
    path = table(tmp_path / "ec.txt", "1\tunbelievable" + "\t1" + "\t0" * 10, header=header)
    assert read_semeval2018_ec(path)[0]["labels"] == [0] * 10 + [1]  # trust came first and is last


@pytest.mark.parametrize("text", ['"quoted from the start', 'she said "no" and left"', 'it\'s "5\'4""', '"all of it"'])
def test_quotation_marks_are_part_of_the_text(tmp_path: Path, text: str) -> None:
    ec = table(tmp_path / "ec.txt", f"1\t{text}{NONE}", f"2\tanother{NONE}")
    assert [row["text"] for row in read_semeval2018_ec(ec)] == [text, "another"]
    ei = table(tmp_path / "ei.txt", f"1\t{text}\tjoy\t0.5", "2\tanother\tjoy\t0.5", header=EI_HEADER)
    assert [row["text"] for row in read_semeval2018_ei_reg(ei)] == [text, "another"]


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    ec = table(tmp_path / "ec.txt", f"1\tcafé{JOY_AND_LOVE}", header="\ufeff" + EC_HEADER, end="\r\n")
    assert read_semeval2018_ec(ec)[0]["labels"][-1] == 0
    ei = table(tmp_path / "ei.txt", "1\tcafé\tjoy\t0.25", header="\ufeff" + EI_HEADER, end="\r\n")
    assert read_semeval2018_ei_reg(ei)[0]["intensity"] == 0.25


def test_line_separators_inside_of_a_text_end_no_row(tmp_path: Path) -> None:
    path = table(tmp_path / "ec.txt", f"1\tone\u2028two\x85three{NONE}")
    assert [row["text"] for row in read_semeval2018_ec(path)] == ["one\u2028two\x85three"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"ec\.txt is empty: it has a header and no rows"),
        ([f"1\tfine{NONE}", "2\tshort\t0\t0"], r"ec\.txt, line 3: 4 columns, but the header has 13"),
        ([f"1\ta tab\tin it{NONE}"], r"line 2: 14 columns, but the header has 13"),
        ([f"1\tfine{NONE}", "", f"2\tfine{NONE}"], r"line 3: 1 columns"),
        (["1\ttwo" + "\t0" * 4 + "\t2" + "\t0" * 6], r"line 2, column 'joy': expected 0 or 1, got '2'"),
        (["1\tunlabelled" + "\tNONE" * 11], r"line 2, column 'anger': expected 0 or 1, got 'NONE'"),
        ([f"1\t  {NONE}"], r"line 2, column 'Tweet': expected a non-empty text"),
    ],
)
def test_malformed_ec(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_semeval2018_ec(table(tmp_path / "ec.txt", *rows))


def test_ec_without_a_column_lists_those_there_are(tmp_path: Path) -> None:
    path = table(tmp_path / "ec.txt", "1\tx\t0", header="ID\tText\tanger")
    with pytest.raises(ValueError, match=r"line 1: no column Tweet, anticipation.*; the columns are ID, Text, anger"):
        read_semeval2018_ec(path)


# -- EI-reg ---


def test_ei_reg_has_the_emotion_as_its_label_and_the_intensity_beside_it(tmp_path: Path) -> None:
    path = table(
        tmp_path / "ei.txt", "2018-En-1\tgrr\tanger\t0.700", "2018-En-2\tmy niece\tsadness\t0", header=EI_HEADER
    )
    assert read_semeval2018_ei_reg(path) == [
        {"id": "2018-En-1", "text": "grr", "labels": 0, "intensity": 0.7},
        {"id": "2018-En-2", "text": "my niece", "labels": 3, "intensity": 0.0},
    ]


def test_mystery_rows_of_ei_reg_are_dropped_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = ["1\tfine\tjoy\t1.0", "2018-En-mystery-1\ta sentence\tjoy\tNONE", "2018-En-mystery-2\t\tjoy\t0.1"]
    path = table(tmp_path / "ei.txt", *rows, header=EI_HEADER)
    assert [row["id"] for row in read_semeval2018_ei_reg(path)] == ["1"]
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [f"{path}: 2 rows whose ID contains 'mystery' are dropped."]
    with pytest.raises(ValueError, match=r"ei\.txt is empty: it has a header and no rows of tweets"):
        read_semeval2018_ei_reg(table(path, *rows[1:], header=EI_HEADER))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2\tx\tlove\t0.5", r"line 3, column 'Affect Dimension': unknown label 'love'; the labels are anger, fear"),
        ("2\tx\tjoy\tNONE", r"line 3, column 'Intensity Score': expected an intensity from 0 to 1, got 'NONE'"),
        ("2\tx\tjoy\t1.2", r"line 3, column 'Intensity Score': expected an intensity from 0 to 1, got '1.2'"),
        ("2\tx\tjoy\tnan", r"line 3, column 'Intensity Score': expected an intensity from 0 to 1, got 'nan'"),
        ("2\t \tjoy\t0.5", r"line 3, column 'Tweet': expected a non-empty text"),
        ("2\tx\tjoy", r"line 3: 3 columns, but the header has 4"),
    ],
)
def test_malformed_ei_reg(tmp_path: Path, row: str, message: str) -> None:
    path = table(tmp_path / "ei.txt", "1\tfine\tjoy\t0.5", row, header=EI_HEADER)
    with pytest.raises(ValueError, match=r"ei\.txt, " + message):
        read_semeval2018_ei_reg(path)


def test_the_ordinal_classes_are_no_intensities(tmp_path: Path) -> None:
    """EI-oc lies beside EI-reg and differs in its last column alone."""
    path = table(tmp_path / "ei.txt", "1\tx\tjoy\t2: moderate", header="ID\tTweet\tAffect Dimension\tIntensity Class")
    with pytest.raises(ValueError, match=r"ei\.txt, line 1: no column Intensity Score; the columns are ID, Tweet"):
        read_semeval2018_ei_reg(path)
