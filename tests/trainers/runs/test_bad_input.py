"""What cannot work is refused before any training, in words that say where it is; nothing is written."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from tests.helpers import tiny_run
from tests.helpers.refusals import check_refusal, refusal, run_csr


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


@pytest.fixture
def place(original: Path, tmp_path: Path) -> Path:
    """An encoder and data that a test may spoil."""
    return Path(shutil.copytree(original, tmp_path / "place"))


def edit(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Change the lines of a text file; `lines[0]` is its line 1."""
    path.write_text("\n".join(change(path.read_text(encoding="utf-8").splitlines())) + "\n", encoding="utf-8")


def replace_line(path: Path, number: int, change: Callable[[str], str]) -> None:
    edit(path, lambda lines: [change(line) if i == number else line for i, line in enumerate(lines, start=1)])


def test_texts_that_cannot_be_compared(place: Path) -> None:
    edit(place / "data" / "posts" / "dev.csv", lambda lines: lines[:2])
    check_refusal(place, "posts: the stage siamese compares texts that have labels, and dev has only ")


# -- one's own files --------------------------------------------------------------------------------------------------


def test_good_input_is_accepted(place: Path) -> None:
    """What the other tests spoil is whole."""
    run_csr(tiny_run.options(place, place / "out", recipe=["bert"], num_train_epochs=1))
    assert (place / "out" / "results.json").is_file()


def test_rows_that_are_left_out_are_listed(place: Path) -> None:
    train, dev = (place / "data" / "posts" / f"{split}.csv" for split in ("train", "dev"))
    replace_line(train, 5, lambda line: line.rsplit(",", 1)[0])
    replace_line(dev, 3, lambda line: line.rsplit(",", 1)[0] + ",-1")
    options = {"bad_rows": "skip", "unlabelled_rows": "skip", "recipe": ["bert"], "num_train_epochs": 1}
    run_csr(tiny_run.options(place, place / "out", **options))
    lines = (place / "out" / "skipped_rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"task": "emotion", "file": str(train), "line": 5, "reason": "3 columns, but the header has 4."},
        {"task": "emotion", "file": str(dev), "line": 3, "reason": "has no label"},
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [("emotion_label_columns", ["joy", "joy"]), ("sentiment_label_names", ["a", "b", "a"])],
)
def test_something_given_twice(place: Path, option: str, value: list[str]) -> None:
    check_refusal(place, f"--{option} {' '.join(value)}: {value[0]!r} is given twice", **{option: value})


def test_missing_file(place: Path) -> None:
    path = place / "data" / "nothing.csv"
    check_refusal(place, str(path), "does not exist", emotion_dataset=path)


def test_missing_split(place: Path) -> None:
    (place / "data" / "reviews" / "dev.jsonl").unlink()
    check_refusal(place, str(place / "data" / "reviews"), "no dev split", "train.jsonl")


def test_neither_file_nor_folder_nor_dataset(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    check_refusal(place, "org/no-such-dataset", sentiment_dataset="org/no-such-dataset")


def test_missing_label_column(place: Path) -> None:
    check_refusal(
        place,
        "train.csv",
        "no column envy",
        "text, anger, joy, sadness",
        emotion_label_columns=["anger", "joy", "envy"],
    )


def test_missing_text_column(place: Path) -> None:
    check_refusal(place, "train.jsonl", "no column tweet", "text, label", sentiment_text_column="tweet")


def test_no_label_column_named(place: Path) -> None:
    check_refusal(place, "train.csv", "no column label or labels", emotion_label_columns=None)


@pytest.mark.parametrize("content", ["", "\n\n", "text,anger,joy,sadness\n"], ids=["nothing", "blank", "header-only"])
@pytest.mark.parametrize("split", ["train", "dev"])
def test_empty_file(place: Path, split: str, content: str) -> None:
    path = place / "data" / "posts" / f"{split}.csv"
    path.write_text(content)
    check_refusal(place, str(path), "empty")


def test_wrong_encoding(place: Path) -> None:
    path = place / "data" / "posts" / "train.csv"
    replace_line(path, 5, lambda line: "déjà vu" + line)
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    check_refusal(place, str(path), "line 5", "UTF-8")


def test_unknown_label_in_dev(place: Path) -> None:
    path = place / "data" / "reviews" / "dev.jsonl"
    replace_line(path, 4, lambda line: line.replace('"label": "', '"label": "so-'))
    check_refusal(place, str(path), "line 4", "'label'", "so-negative", "negative, neutral, positive")


@pytest.mark.parametrize("value", ["2", "0.5", "yes"])
def test_value_outside_0_and_1(place: Path, value: str) -> None:
    path = place / "data" / "posts" / "train.csv"
    replace_line(path, 7, lambda line: line.rsplit(",", 1)[0] + f",{value}")
    check_refusal(place, str(path), "line 7", "'sadness'", "0 or 1", repr(value))


def test_short_row(place: Path) -> None:
    path = place / "data" / "posts" / "train.csv"
    replace_line(path, 9, lambda line: line.rsplit(",", 2)[0])
    check_refusal(place, str(path), "line 9", "2 columns", "4")


@pytest.mark.parametrize("text", ["", "   ", "\\t\\n"])
def test_empty_text(place: Path, text: str) -> None:
    path = place / "data" / "reviews" / "train.jsonl"
    replace_line(path, 11, lambda _: f'{{"text": "{text}", "label": "neutral"}}')
    check_refusal(place, str(path), "line 11", "'text'")


def test_no_text_at_all(place: Path) -> None:
    path = place / "data" / "reviews" / "train.jsonl"
    replace_line(path, 11, lambda _: '{"label": "neutral"}')
    check_refusal(place, str(path), "line 11", "'text'")


def test_broken_json(place: Path) -> None:
    path = place / "data" / "reviews" / "train.jsonl"
    replace_line(path, 3, lambda line: line[:-1])
    check_refusal(place, str(path), "line 3", "JSON")


def test_single_class(place: Path) -> None:
    for split in ("train", "dev"):
        rows = tiny_run.label_rows({"joy": "happy"}, 10, seed=3)
        tiny_run.write_jsonl(place / "data" / "moods" / f"{split}.jsonl", rows)
    moods = {"emotion_dataset": place / "data" / "moods", "emotion_label_columns": None}
    check_refusal(place, "moods", "joy", "10 rows", **moods)


def test_multi_label_rows_that_are_all_alike(place: Path) -> None:
    path = place / "data" / "posts" / "train.csv"
    edit(path, lambda lines: [lines[0], *(line.rsplit(",", 3)[0] + ",0,1,0" for line in lines[1:])])
    check_refusal(place, "posts", "joy", "nothing to learn")


def test_dev_with_other_label_columns(place: Path) -> None:
    path = place / "data" / "posts" / "dev.csv"
    replace_line(path, 1, lambda line: line.replace("sadness", "sorrow"))
    check_refusal(place, str(path), "sadness")


def test_dev_with_other_kind_of_labels(place: Path) -> None:
    """Lists in train, single labels in dev."""
    path = place / "data" / "moods" / "train.jsonl"
    edit(path, lambda lines: [line.replace('"label": "', '"label": ["').replace('"}', '"]}') for line in lines])
    moods = {"emotion_dataset": place / "data" / "moods", "emotion_label_columns": None}
    check_refusal(place, "dev.jsonl", "label", **moods)


# -- published datasets -----------------------------------------------------------------------------------------------


def test_unknown_label_in_a_published_file(place: Path) -> None:
    folder = place / "published" / "semeval2017_task4" / "A"
    folder.mkdir(parents=True)
    for split in ("train", "dev"):
        lines = ["1\tpositive\twhat a game", "2\tnegative\tlost again", "3\tneutral\tkick-off at eight"]
        lines[1] = lines[1].replace("negative", "meh") if split == "dev" else lines[1]
        (folder / f"twitter-2016{split}-A.tsv").write_text("\n".join(lines) + "\n")
    check_refusal(
        place,
        str(folder / "twitter-2016dev-A.tsv"),
        "line 2",
        "'meh'",
        sentiment_dataset="semeval2017-4a",
        data_dir=place / "published",
    )


def test_missing_data_dir(place: Path) -> None:
    check_refusal(place, "semeval2017-4a", "--data_dir", sentiment_dataset="semeval2017-4a")
    check_refusal(
        place, str(place / "away"), "E-c-En-train.txt", emotion_dataset="semeval2018-ec", data_dir=place / "away"
    )


# -- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recipe": ["bert", "model-4"]}, ["--recipe", "model-4", "model-3.3"]),
        ({"max_length": 2}, ["--max_length", "2"]),
        ({"normalization": ["emoticons"]}, ["emoticons", "emoji"]),
        ({"representation": "shared"}, ["representation", "shared_layer_sizes"]),
        ({"common_size": 16}, ["common_size", "16"]),
        ({"common_size": 40}, ["common_size", "40"]),
        ({"max_train_samples": 0}, ["max_train_samples"]),
        ({"siamese_pairs_per_text": 0}, ["siamese_pairs_per_text"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_arguments_that_cannot_work(place: Path, changes: dict[str, Any], words: list[str]) -> None:
    check_refusal(place, *words, **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pooling": "sum"}, ["--pooling", "sum", "mean"]),
        ({"threshold": "best"}, ["--threshold", "best", "per_label"]),
        ({"num_train_epochs": "many"}, ["--num_train_epochs", "many"]),
        ({"learning_rat": 1e-3}, ["learning_rat"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_options_that_do_not_parse(
    place: Path, changes: dict[str, Any], words: list[str], capsys: pytest.CaptureFixture
) -> None:
    output_dir = place / "out"
    message = refusal(tiny_run.options(place, output_dir, **changes)) + capsys.readouterr().err
    for word in words:
        assert word in message
    assert not output_dir.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("encoder: x\nrecipes: [bert]\n", ["unknown option recipes"]),
        ("- bert\n", ["option: value"]),
        ("recipe: [bert\n", ["line 2"]),
    ],
    ids=["unknown-key", "no-mapping", "no-yaml"],
)
def test_bad_config_file(place: Path, content: str, words: list[str]) -> None:
    path = place / "run.yaml"
    path.write_text(content)
    check_refusal(place, str(path), *words, config=path)


def test_missing_config_file(place: Path) -> None:
    check_refusal(place, "--config", str(place / "run.yaml"), config=place / "run.yaml")


# -- the output folder ------------------------------------------------------------------------------------------------


def test_no_space_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(place)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    check_refusal(place, str(place / "out"), "free", "--output_dir")


def test_output_folder_of_another_run(place: Path) -> None:
    output_dir = place / "out"
    run_csr(tiny_run.options(place, output_dir, recipe=["bert"], num_train_epochs=1))
    before = {path: path.stat().st_mtime_ns for path in output_dir.rglob("*")}
    message = refusal(tiny_run.options(place, output_dir, num_train_epochs=2))
    assert str(output_dir / "emotion-encoder") in message
    assert "num_train_epochs: 1.0 there, 2.0 here" in message
    assert {path: path.stat().st_mtime_ns for path in output_dir.rglob("*")} == before


def test_output_folder_that_is_a_file(place: Path) -> None:
    output_dir = place / "out"
    output_dir.write_text("mine")
    assert str(output_dir) in refusal(tiny_run.options(place, output_dir))
    assert output_dir.read_text() == "mine"
