"""The format of BRIGHTER's files, with invented texts in many scripts, and its datasets by language."""

import logging
import math
from pathlib import Path

import datasets
import numpy as np
import pytest

from tests.helpers.brighter_files import TEXTS, write
from trainers.data import load_task_dataset, load_texts
from trainers.data.readers import BRIGHTER_EMOTIONS, BRIGHTER_LANGUAGES, BrighterReader, brighter_emotions
from trainers.data.registry import REGISTRY, find_dataset


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All languages but English, whose file is missing; and the file of test rows that was published in train."""
    folder = tmp_path_factory.mktemp("data")
    for language in set(BRIGHTER_LANGUAGES) - {"eng"}:
        for split in ("train", "dev"):
            write(folder, language, split)
    misfiled = write(folder, "ron")
    misfiled.rename(misfiled.with_name("ron_track1_test.csv"))
    write(folder, "ron")
    return folder


def test_every_language_has_a_text_here() -> None:
    assert set(TEXTS) == set(BRIGHTER_LANGUAGES) and len(TEXTS) == 28


@pytest.mark.parametrize("language", TEXTS)
def test_texts_of_each_language_come_as_they_are(language: str, tmp_path: Path) -> None:
    emotions = brighter_emotions(language)
    first, second = BrighterReader(emotions)(write(tmp_path, language))
    assert first == {
        "id": f"{language}_1",
        "text": TEXTS[language],
        "labels": [float(emotion == "joy") for emotion in emotions],
        "language": language,
    }
    assert second["labels"] == [0.0] * len(emotions)


def test_labels_differ_by_language(tmp_path: Path) -> None:
    assert brighter_emotions("afr") == BRIGHTER_EMOTIONS[:5]
    assert brighter_emotions("eng") == ("anger", "fear", "joy", "sadness", "surprise")
    assert {brighter_emotions(one) for one in set(TEXTS) - {"afr", "eng"}} == {BRIGHTER_EMOTIONS}
    (row, _) = BrighterReader(BRIGHTER_EMOTIONS)(write(tmp_path, "afr"))
    assert row["labels"][:5] == [0, 0, 0, 1, 0] and math.isnan(row["labels"][5])


def test_all_languages_together_mask_what_one_lacks(everything: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        task = load_task_dataset("brighter:all", data_dir=str(everything))
    assert task.labels == list(BRIGHTER_EMOTIONS) and task.problem_type == "multi_label_classification"
    train = task.splits["train"]
    assert sorted(set(train["language"])) == sorted(set(TEXTS) - {"eng"}) and len(train) == 2 * 27  # no misfiled rows
    masked = np.isnan(task.targets("train"))
    assert masked.sum() == 2 and [train["language"][row] for row in np.flatnonzero(masked.any(axis=1))] == ["afr"] * 2
    assert len(task.labelled_targets("train")) == len(train)
    assert "brighter:all (train): train/eng.csv missing, so not among the rows." in caplog.text


def test_a_language_alone_has_its_own_labels(everything: Path) -> None:
    task = load_task_dataset("brighter:afr", data_dir=str(everything))
    assert task.labels == list(BRIGHTER_EMOTIONS[:5]) and not np.isnan(task.targets("train")).any()
    assert task.info is not None and task.info.languages == ("af",)
    assert load_texts("brighter:chn", data_dir=str(everything)).splits["train"]["text"][0] == TEXTS["chn"]
    with pytest.raises(FileNotFoundError, match=r"train/eng\.csv does not exist: the train split of brighter:eng"):
        load_task_dataset("brighter:eng", data_dir=str(everything))


def test_intensities(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        rows = (f"rus_1,{split}: так,0,0,0,3,1,0", "rus_2,нет,1,2,3,0,0,2", "rus_3,да,2,0,1,1,2,1")
        write(tmp_path, "rus", split, track="b", rows=rows)
    task = load_task_dataset("brighter-intensity:rus", data_dir=str(tmp_path), regression=True)
    assert task.splits["dev"]["labels"][0] == [0, 0, 0, 3, 1, 0]
    # Romanian has dev and test only.
    write(tmp_path, "ron", "dev", track="b")
    dev = load_task_dataset("brighter-intensity:ron", data_dir=str(tmp_path), regression=True, splits=("dev",))
    assert len(dev.splits["dev"]) == 2
    with pytest.raises(ValueError, match="brighter-intensity:ron has no split train; it has dev, test"):
        load_task_dataset("brighter-intensity:ron", data_dir=str(tmp_path), regression=True)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "brighter:xyz",
            r"there is no language 'xyz'\. Name brighter:LANGUAGE, where LANGUAGE is one of afr, amh, .*yor",
        ),
        ("brighter:de", r"there is no language 'de'\. Did you mean brighter:deu\?"),
        ("brighter", r"brighter: say in which language: brighter:LANGUAGE"),
        ("brighter-intensity:swe", r"intensities \(track B\) were not annotated in swe; name .* one of amh, arq, chn"),
    ],
)
def test_unknown_languages_are_told_the_known_ones(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        load_task_dataset(name, data_dir=str(tmp_path), regression="intensity" in name)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("deu_1,Na,2,0,0,0,0,0", r"deu\.csv, line 2, column 'anger': expected 0 or 1, got '2'"),
        ("deu_1,Na,,,,,,", r"line 2, column 'anger': blank\. Some test files"),
        ("deu_1, ,0,0,0,0,0,0", r"line 2, column 'text': expected a non-empty text"),
        ("deu_1,Na,0,0,0,0,0", r"line 2: 7 columns, but the header has 8"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BrighterReader(BRIGHTER_EMOTIONS)(write(tmp_path, "deu", rows=(row,)))


def test_a_label_that_the_language_should_have_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "deu.csv"
    path.write_text("id,text,anger,fear,joy,sadness,surprise\ndeu_1,Na,0,0,0,0,0\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"deu\.csv, line 1: no column disgust; the columns are id, text, anger"):
        BrighterReader(BRIGHTER_EMOTIONS)(path)


def test_on_the_hub_each_language_is_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load_dataset(hub_id: str, language: str) -> datasets.DatasetDict:
        asked.append((hub_id, language))
        emotions = brighter_emotions(language)
        columns = {emotion: [int(emotion == "joy"), 0] for emotion in emotions}
        if language == "afr":
            columns["surprise"] = [None, None]  # blank rather than missing
        split = datasets.Dataset.from_dict({"id": ["1", "2"], "text": [TEXTS[language], "2"], **columns})
        return datasets.DatasetDict(train=split, dev=split)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    task = load_task_dataset("brighter:all")
    assert len(asked) == 24 and ("brighter-dataset/BRIGHTER-emotion-categories", "deu") in asked
    targets, languages = task.targets("dev"), np.asarray(task.splits["dev"]["language"][:])
    masked = {(languages[row], task.labels[label]) for row, label in np.argwhere(np.isnan(targets))}
    assert masked == {("afr", "surprise"), ("eng", "disgust")}
    assert np.nansum(targets) == 24


def test_entries_tell_licence_citation_and_languages() -> None:
    info = REGISTRY["brighter:all"]
    assert info.license == "cc-by-4.0" and "BRIGHTER" in info.citation and len(info.languages) == 27  # Portuguese twice
    tigrinya = find_dataset("brighter:tir")
    assert tigrinya is not None and tigrinya.hub_id is None and tigrinya.languages == ("ti",)
