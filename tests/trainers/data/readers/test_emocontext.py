"""EmoContext: three turns a line, the last of which is labelled. All turns here are invented."""

from pathlib import Path

import pytest

from trainers.data.readers import EMOCONTEXT_EMOTIONS, read_emocontext
from trainers.data.task_dataset import load_task_dataset

HEADER = "id\tturn1\tturn2\tturn3\tlabel"
LINES = [
    '7\tI lost my keys\tWhere did you "see them last?\tin my own hand 😂\thappy',
    "8\thello\thow are you\tleave me alone\tangry",
    "9\tno\twhy not\tbecause it rains\tothers",
    "10\tshe left\twho\tmy cat\tsad",
]


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_the_label_belongs_to_the_last_turn(tmp_path: Path) -> None:
    rows = read_emocontext(write(tmp_path / "train.txt", HEADER, *LINES))
    assert len(rows) == 12
    keys = ("id", "text", "labels", "dialogue_id", "utterance_id", "speaker")
    assert [tuple(row[key] for key in keys) for row in rows[:3]] == [
        ("7_0", "I lost my keys", -100, "7", 0, "user"),
        ("7_1", 'Where did you "see them last?', -100, "7", 1, "agent"),
        ("7_2", "in my own hand 😂", EMOCONTEXT_EMOTIONS.index("happy"), "7", 2, "user"),
    ]
    assert [EMOCONTEXT_EMOTIONS[row["labels"]] for row in rows[2::3]] == ["happy", "angry", "others", "sad"]


def test_a_blank_turn_is_no_context(tmp_path: Path) -> None:
    rows = read_emocontext(write(tmp_path / "train.txt", HEADER, "1\t \twhat\tnothing\tothers"))
    assert [(row["text"], row["utterance_id"]) for row in rows] == [("what", 1), ("nothing", 2)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["id\tturn1\tturn2\tturn3", "1\ta\tb\tc"], r"line 1: no column label; the columns are id, turn1"),
        ([HEADER], "it has a header and no rows"),
        ([HEADER, "1\ta\tb\tc"], r"line 2: 4 columns, but the header has 5"),
        ([HEADER, LINES[0], "2\ta\tb\tc\tfear"], r"line 3, column 'label': unknown label 'fear'"),
        ([HEADER, "2\ta\tb\t \tsad"], r"line 2, column 'turn3': expected a non-empty text"),
        ([HEADER, LINES[0], LINES[0]], r"line 3: the id 7 stands in line 2, too"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_emocontext(write(tmp_path / "train.txt", *lines))


def test_context_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        write(tmp_path / "emocontext" / f"{split}.txt", HEADER, *LINES)
    alone = load_task_dataset("emocontext", data_dir=str(tmp_path)).splits["dev"]
    assert alone["text"][:] == ["in my own hand 😂", "leave me alone", "because it rains", "my cat"]
    assert min(alone["labels"][:]) == 0
    task = load_task_dataset("emocontext", data_dir=str(tmp_path), unlabelled_rows="context")
    assert len(task.splits["dev"]) == 12 and sorted(task.labelled_targets("dev").tolist()) == [0, 1, 2, 3]
