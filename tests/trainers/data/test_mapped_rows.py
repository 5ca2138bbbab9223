"""Files of the datasets library that are damaged in its cache."""

import json
import logging
from pathlib import Path

import datasets
import pytest

from tests.helpers.file_damages import DAMAGES
from trainers.data.hub_datasets import load_hub_dataset
from trainers.data.mapped_rows import map_rows
from trainers.data.sources import DatasetSource


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def on_the_hub(tmp_path: Path, cache: Path) -> str:
    """A dataset that the datasets library converts and caches as it does one of the Hub."""
    rows = [{"text": f"text {number}", "label": number % 2} for number in range(40)]
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(tmp_path / "posts")


def doubled(batch: dict[str, list]) -> dict[str, list]:
    return {"twice": [2 * label for label in batch["label"]]}


def test_changed_rows_in_a_damaged_file_are_made_anew(on_the_hub: str, caplog: pytest.LogCaptureFixture) -> None:
    rows = load_hub_dataset(on_the_hub)["train"].select(range(30))
    expected = map_rows(rows, doubled, "doubled").to_list()
    assert expected[3] == {"text": "text 3", "label": 1, "twice": 2} and len(expected) == 30
    (path,) = Path(rows.cache_files[0]["filename"]).parent.glob("cache-*.arrow")
    # Taken as it is, while it is whole.
    assert map_rows(rows, lambda batch: 1 / 0, "doubled").to_list() == expected
    for name, damage in DAMAGES.items():
        damage(path)
        with caplog.at_level(logging.WARNING):
            assert map_rows(rows, doubled, "doubled").to_list() == expected, name
        assert (f"{path} has" in caplog.text) == (name != "missing")
        caplog.clear()
    # The same rows changed in another way, or others in the same way, are other rows.
    assert map_rows(rows, doubled, "again").column_names == ["text", "label", "twice"]
    map_rows(rows.select([0]), doubled, "doubled")
    assert len(list(path.parent.glob("cache-*.arrow"))) == 3


def test_changed_rows_in_memory_stay_there() -> None:
    rows = map_rows(datasets.Dataset.from_dict({"label": [1, 2]}), doubled, None)
    assert rows["twice"][:] == [2, 4] and not rows.cache_files


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_dataset_of_the_hub_is_not_taken(on_the_hub: str, cache: Path, damage: str) -> None:
    load_hub_dataset(on_the_hub)
    (path,) = cache.rglob("*.arrow")
    assert load_hub_dataset(on_the_hub)["train"].num_rows == 40
    DAMAGES[damage](path)
    with pytest.raises(ValueError, match=rf"Delete .* {cache}.*, and repeat the command|Delete {cache}") as error:
        load_hub_dataset(on_the_hub)
    assert "\n" not in str(error.value)


def test_a_dataset_with_impossible_texts_is_refused_before_it_is_read(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"text": ["one", "two", "three"]}).save_to_disk(tmp_path / "saved")
    (path,) = (tmp_path / "saved").glob("*.arrow")
    path.write_bytes(path.read_bytes().replace(b"onetwothree", b"one\xffwothree"))
    source = DatasetSource("saved", datasets.load_from_disk(str(tmp_path / "saved")))
    with pytest.raises(ValueError, match=rf"^saved: {path} is damaged \(.*UTF8.*\)\. Save the dataset anew, or delete"):
        list(source.tables())
