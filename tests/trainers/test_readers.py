"""The published formats, each as a tiny file with invented texts, with its traps and with what can be wrong in it."""

import json
import logging
from dataclasses import replace

import pytest

from trainers.data import read_split
from trainers.readers import (
    EMOTIONS,
    read_emotion_posts,
    read_semeval2017_4a,
    read_semeval2018_ec,
    read_sentiment_posts,
)
from trainers.registry import REGISTRY

EC_HEADER = "ID\tTweet\t" + "\t".join(EMOTIONS)
NONE = "\t0" * 11
JOY_AND_LOVE = "\t0\t0\t0\t0\t1\t1\t0\t0\t0\t0\t0"


def ec_file(path, *rows, header=EC_HEADER, end="\n"):
    path.write_bytes(end.join([header, *rows, ""]).encode())
    return path


def json_lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_ec_labels_are_multi_hot_in_the_order_of_the_file(tmp_path):
    rows = read_semeval2018_ec(ec_file(tmp_path / "ec.txt", "2018-En-1\tmy niece waved at me" + JOY_AND_LOVE))
    assert rows == [{"id": "2018-En-1", "text": "my niece waved at me", "labels": [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]}]


def test_ec_keeps_rows_without_a_label_and_repeated_texts(tmp_path):
    path = ec_file(tmp_path / "ec.txt", "1\tthe bus is here" + NONE, "2\tthe bus is here" + JOY_AND_LOVE)
    rows = read_semeval2018_ec(path)
    assert [row["text"] for row in rows] == ["the bus is here"] * 2
    assert [sum(row["labels"]) for row in rows] == [0, 2]


def test_ec_reads_columns_by_name(tmp_path):
    header = "ID\tTweet\t" + "\t".join(reversed(EMOTIONS))
    path = ec_file(tmp_path / "ec.txt", "1\tunbelievable" + "\t1" + "\t0" * 10, header=header)
    assert read_semeval2018_ec(path)[0]["labels"] == [0] * 10 + [1]  # trust came first and is last


@pytest.mark.parametrize("text", ['"quoted from the start', 'she said "no" and left"', 'it\'s "5\'4""'])
def test_quotation_marks_are_part_of_the_text(tmp_path, text):
    ec = ec_file(tmp_path / "ec.txt", f"1\t{text}{NONE}", f"2\tanother{NONE}")
    assert [row["text"] for row in read_semeval2018_ec(ec)] == [text, "another"]
    four_a = tmp_path / "a.tsv"
    four_a.write_text(f"1\tneutral\t{text}\n2\tpositive\tanother\n", encoding="utf-8")
    assert [row["text"] for row in read_semeval2017_4a(four_a)] == [text, "another"]


def test_windows_line_ends_and_byte_order_mark(tmp_path):
    ec = ec_file(tmp_path / "ec.txt", f"1\tcafé{JOY_AND_LOVE}", header="\ufeff" + EC_HEADER, end="\r\n")
    assert read_semeval2018_ec(ec)[0]["labels"][-1] == 0
    four_a = tmp_path / "a.tsv"
    four_a.write_bytes(b"1\tneutral\tone\r\n2\tpositive\ttwo\r\n")
    assert [row["text"] for row in read_semeval2017_4a(four_a)] == ["one", "two"]


def test_line_separators_inside_of_a_text_end_no_row(tmp_path):
    path = ec_file(tmp_path / "ec.txt", f"1\tone\u2028two\x85three{NONE}")
    assert [row["text"] for row in read_semeval2018_ec(path)] == ["one\u2028two\x85three"]


def test_4a_accepts_empty_columns_at_the_end(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("11\tnegative\tlate again\t\n12\tpositive\ton time\t\t\n13\tneutral\ta train\n", encoding="utf-8")
    assert read_semeval2017_4a(path) == [
        {"id": "11", "text": "late again", "labels": 0},
        {"id": "12", "text": "on time", "labels": 2},
        {"id": "13", "text": "a train", "labels": 1},
    ]


def test_ids_with_conflicting_labels_go_where_files_are_joined(tmp_path, caplog):
    (tmp_path / "twitter-2015train-A.tsv").write_text("1\tneutral\ta\n2\tpositive\tb\n3\tneutral\tc\n")
    (tmp_path / "twitter-2016train-A.tsv").write_text("2\tnegative\tb\n3\tneutral\tc\n4\tnegative\td\n")
    info = replace(REGISTRY["semeval2017-4a"], splits={"train": ("twitter-*train-A.tsv",)})
    with caplog.at_level(logging.WARNING):
        rows = read_split(info, tmp_path, "train")
    assert [row["id"] for row in rows] == ["1", "3", "3", "4"]  # the same label twice is no conflict
    assert [record.getMessage() for record in caplog.records] == [
        "semeval2017-4a (train): 1 ids carry conflicting labels; their 2 rows are dropped."
    ]


def test_one_file_is_taken_as_it_was_published(tmp_path, caplog):
    (tmp_path / "one.tsv").write_text("1\tneutral\ta\n1\tpositive\ta\n")
    info = replace(REGISTRY["semeval2017-4a"], splits={"train": ("one.tsv",)})
    assert len(read_split(info, tmp_path, "train")) == 2
    assert not caplog.records


def test_emotion_posts(tmp_path):
    path = json_lines(
        tmp_path / "train.jsonl",
        {"id": "e1", "text": "home at last", "emotions": {"joy": 0.8, "trust": 0.1}, "valence": 0.9},
        {"id": "e2", "text": "line\nbreak", "emotions": {}, "valence": 0.5},
    )
    first, second = read_emotion_posts(path)
    assert [label for label, bit in zip(EMOTIONS, first["labels"], strict=True) if bit] == ["joy", "trust"]
    assert second == {"id": "e2", "text": "line\nbreak", "labels": [0.0] * 11}


def test_sentiment_posts(tmp_path):
    path = json_lines(tmp_path / "dev.jsonl", {"id": "s1", "text": "meh", "sentiment": "negative"})
    assert read_sentiment_posts(path) == [{"id": "s1", "text": "meh", "labels": 0}]


@pytest.mark.parametrize("info", REGISTRY.values(), ids=REGISTRY)
def test_missing_and_empty_files_are_named(info, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.txt does not exist"):
        info.reader(tmp_path / "gone.txt")
    (tmp_path / "nothing.txt").write_bytes(b"\n\n")
    with pytest.raises(ValueError, match=r"nothing\.txt is empty"):
        info.reader(tmp_path / "nothing.txt")


@pytest.mark.parametrize("info", REGISTRY.values(), ids=REGISTRY)
def test_wrong_encoding_names_the_line(info, tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"first line\nsecond line\ncaf\xe9 in Latin-1\n")
    with pytest.raises(ValueError, match=r"latin\.txt, line 3: not valid UTF-8.*Save the file as UTF-8"):
        info.reader(path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"ec\.txt is empty: it has a header and no rows"),
        ([f"1\tfine{NONE}", "2\tshort\t0\t0"], r"ec\.txt, line 3: 4 columns, but the header has 13"),
        ([f"1\ta tab\tin it{NONE}"], r"line 2: 14 columns, but the header has 13"),
        ([f"1\tfine{NONE}", "", f"2\tfine{NONE}"], r"line 3: 1 columns"),
        (["1\ttwo" + "\t0" * 4 + "\t2" + "\t0" * 6], r"line 2, column 'joy': expected 0 or 1, got '2'"),
        (["1\tunlabelled" + "\tNONE" * 11], r"line 2, column 'anger': expected 0 or 1, got 'NONE'"),
        ([f"1\t  {NONE}"], r"line 2, column 'Tweet': the text is empty"),
    ],
)
def test_malformed_ec(tmp_path, rows, message):
    with pytest.raises(ValueError, match=message):
        read_semeval2018_ec(ec_file(tmp_path / "ec.txt", *rows))


def test_ec_without_a_column_lists_those_there_are(tmp_path):
    path = ec_file(tmp_path / "ec.txt", "1\tx\t0", header="ID\tText\tanger")
    with pytest.raises(ValueError, match=r"line 1: no column Tweet, anticipation.*; the columns are ID, Text, anger"):
        read_semeval2018_ec(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2\tmixed\tso so", r"a\.tsv, line 2, column 2: unknown label 'mixed'; the labels are negative, neutral"),
        ("2\tneutral", r"a\.tsv, line 2: expected id, label and text"),
        ("2\tneutral\t\t", r"a\.tsv, line 2: expected id, label and text"),
        ("2\tneutral\t \t", r"a\.tsv, line 2, column 3: the text is empty"),
    ],
)
def test_malformed_4a(tmp_path, line, message):
    path = tmp_path / "a.tsv"
    path.write_text(f"1\tneutral\tfine\n{line}\n3\tneutral\tfine\n")
    with pytest.raises(ValueError, match=message):
        read_semeval2017_4a(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "e1", "text": "x", "emotions": {"envy": 0.5}}, "unknown label 'envy'; the labels are anger"),
        ({"id": "e1", "text": "x", "emotions": {"joy": 1.5}}, r"intensity of joy must lie in \(0, 1\], got 1.5"),
        ({"id": "e1", "text": "x", "emotions": {"joy": "high"}}, r"intensity of joy must lie in \(0, 1\], got 'high'"),
        ({"id": "e1", "text": "x", "emotions": ["joy"]}, "expected emotions with their intensities"),
        ({"id": "e1", "text": "", "emotions": {}}, "column 'text': the text is empty"),
        ({"id": "e1", "post": "x", "emotions": {}}, "no column text; the columns are id, post, emotions"),
        ([1, 2], "expected a JSON object"),
    ],
)
def test_malformed_emotion_posts(tmp_path, row, message):
    path = json_lines(tmp_path / "train.jsonl", {"id": "e0", "text": "fine", "emotions": {}}, row)
    with pytest.raises(ValueError, match=r"train\.jsonl, line 2.*" + message):
        read_emotion_posts(path)


def test_malformed_sentiment_posts(tmp_path):
    path = json_lines(tmp_path / "dev.jsonl", {"id": "s1", "text": "x", "sentiment": "Positive"})
    with pytest.raises(ValueError, match=r"dev\.jsonl, line 1, column 'sentiment': unknown label 'Positive'"):
        read_sentiment_posts(path)
    path.write_text('{"id": "s1", "text": \n')
    with pytest.raises(ValueError, match=r"dev\.jsonl, line 1: not valid JSON"):
        read_sentiment_posts(path)
