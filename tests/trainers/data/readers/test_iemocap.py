"""Sessions of IEMOCAP as tables, with invented utterances, and leaving one of them out."""

from pathlib import Path

import datasets
import pytest

from trainers.data.readers import read_iemocap
from trainers.data.task_dataset import load_task_dataset


def write(folder: Path, name: str, *lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return folder / name


def sessions(folder: Path) -> None:
    for number in range(1, 6):
        rows = [f"Text {number} {label},{label}" for label in ("ang", "hap", "neu", "sad")]
        write(folder / "iemocap", f"session{number}.csv", "text,label", *rows)


def test_labels_may_be_codes_numbers_or_words(tmp_path: Path) -> None:
    labels = ["ang", "1", "Neutral", "sadness", "exc", "excited"]
    rows = read_iemocap(write(tmp_path, "session2.csv", "text,label", *(f"x,{label}" for label in labels)))
    assert [row["labels"] for row in rows] == [0, 1, 2, 3, 1, 1]


def test_a_session_without_names_is_one_conversation(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = read_iemocap(write(tmp_path, "session2.csv", "text,label", "a,0", "b,1"))
    assert [(row["group"], row["dialogue_id"], row["utterance_id"], row["speaker"]) for row in rows] == [
        ("session2", "session2", 0, "-"),
        ("session2", "session2", 1, "-"),
    ]
    assert "counts as one conversation with one speaker" in caplog.text


def test_names_of_utterances_tell_dialogue_and_speaker(tmp_path: Path) -> None:
    names = ["Ses01F_impro01_M012", "Ses01F_impro01_F003", "Ses01M_script02_2_F000"]
    rows = read_iemocap(write(tmp_path, "session1.csv", "id,text,label", *(f"{name},x,0" for name in names)))
    assert [(row["dialogue_id"], row["speaker"]) for row in rows] == [
        ("Ses01F_impro01", "M"),
        ("Ses01F_impro01", "F"),
        ("Ses01M_script02_2", "F"),
    ]


def test_columns_win_over_names(tmp_path: Path) -> None:
    path = write(tmp_path, "session1.csv", "id,text,label,dialogue_id,speaker", "7,x,0,talk,Ana")
    assert [(row["dialogue_id"], row["speaker"]) for row in read_iemocap(path)] == [("talk", "Ana")]


def test_parquet_of_the_hub(tmp_path: Path) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["ang", "hap"])})
    data = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    path = tmp_path / "session3-00000-of-00001.parquet"
    data.to_parquet(path)
    assert [(row["labels"], row["group"]) for row in read_iemocap(path)] == [(1, "session3"), (0, "session3")]


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        ("first.csv", ["text,label", "x,0"], r"must contain the session, as in session1\.csv"),
        ("session1.csv", ["text,emotion", "x,0"], r"no column label; the columns are text, emotion"),
        ("session1.csv", ["text,label", "x,fear"], r"line 2, column 'label': unknown label 'fear'"),
        ("session1.csv", ["text,label", "x,4"], r"line 2, column 'label': unknown label '4'"),
        ("session1.csv", ["text,label", "x,0", " ,0"], r"line 3, column 'text': expected a non-empty text"),
        ("session1.csv", ["id,text,label", "3,x,0"], r"line 2, column 'id': expected .* Ses01F_impro01_M012, got '3'"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_iemocap(write(tmp_path, name, *lines))


def test_each_fold_leaves_one_session_out(tmp_path: Path) -> None:
    sessions(tmp_path)
    for fold in range(5):
        splits = load_task_dataset("iemocap", data_dir=str(tmp_path), fold=fold).splits
        assert set(splits["dev"]["dialogue_id"]) == {f"session{fold + 1}"}
        assert len(splits["train"]) == 16 and f"session{fold + 1}" not in set(splits["train"]["dialogue_id"])
        assert "group" not in splits["train"].column_names


def test_sessions_of_the_hub_are_folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = datasets.ClassLabel(names=["ang", "hap", "neu", "sad"])
    features = datasets.Features({"text": datasets.Value("string"), "label": labels})
    rows = {
        f"session{number}": datasets.Dataset.from_dict(
            {"text": [f"{number} {label}" for label in range(4)], "label": list(range(4))}, features=features
        )
        for number in range(1, 6)
    }
    asked: list[tuple] = []

    def published(*name: str | None) -> datasets.DatasetDict:
        asked.append(name)
        return datasets.DatasetDict(rows)

    # What the Hub answers; no test asks it.
    monkeypatch.setattr(datasets, "load_dataset", published)
    found = load_task_dataset("iemocap", fold=1)
    assert asked == [("Zahra99/IEMOCAP_Text", None)]
    assert list(found.splits["dev"]["text"]) == [f"2 {label}" for label in range(4)]
    assert found.labels == ["ang", "hap", "neu", "sad"] and len(found.splits["train"]) == 16
    assert set(found.splits["dev"]["dialogue_id"]) == {"session2"}
