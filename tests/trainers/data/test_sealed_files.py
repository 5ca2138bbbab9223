"""Files whose damage is noticed."""

import logging
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.file_damages import DAMAGES
from trainers.data.sealed_files import Seal, damages, is_whole, sealed_array, write_sealed


def test_damage_is_described(tmp_path: Path) -> None:
    names = ("good", "missing", "short", "other")
    for name in names:
        (tmp_path / name).write_bytes(b"four")
    seals = {name: Seal.of(tmp_path / name) for name in names}
    (tmp_path / "missing").unlink()
    (tmp_path / "short").write_bytes(b"two")
    (tmp_path / "other").write_bytes(b"f0ur")
    assert damages(tmp_path, seals) == [
        f"{tmp_path / 'missing'} is missing",
        f"{tmp_path / 'short'} has 3 bytes instead of 4",
        f"{tmp_path / 'other'} has other contents than were written",
    ]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_array_is_written_anew(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    path, written = tmp_path / "cache" / "rows.npy", []

    def write(unfinished: Path) -> None:
        written.append(1)
        with unfinished.open("wb") as file:
            np.save(file, np.arange(1, 1000.0))

    def read() -> list[float]:
        return sealed_array(path, write).tolist()

    expected = list(np.arange(1, 1000.0))
    assert read() == read() == expected and len(written) == 1
    DAMAGES[damage](path)
    with caplog.at_level(logging.WARNING):
        assert read() == expected
    assert len(written) == 2
    assert (str(path) in caplog.text) == (damage != "missing")
    assert is_whole(path)


def test_a_file_without_its_seal_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    write_sealed(path, lambda unfinished: unfinished.write_text("whole"))
    for seal in ("", "{", "[]", '{"size": 5}', None):
        seal_file = tmp_path / "rows.seal.json"
        seal_file.unlink() if seal is None else seal_file.write_text(seal)
        assert not is_whole(path), seal


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    write_sealed(path, lambda unfinished: unfinished.write_text("old"))

    def fail(unfinished: Path) -> None:
        unfinished.write_text("ne")
        raise OSError("no more room")

    with pytest.raises(OSError, match="no more room"):
        write_sealed(path, fail)
    assert path.read_text() == "old" and is_whole(path)
    assert {file.name for file in tmp_path.iterdir()} == {"rows", "rows.seal.json"}


@pytest.mark.parametrize("name", ["array.npy", "array.npy.seal.json"])
def test_a_folder_in_the_place_of_a_file_goes_if_it_is_empty(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, np.arange(3))

    array, damaged = tmp_path / "array.npy", tmp_path / name
    sealed_array(array, write)
    damaged.unlink()
    damaged.mkdir()
    np.testing.assert_array_equal(sealed_array(array, write), np.arange(3))
    # A seal counts as not yet written.
    assert (f"{array} is a folder: it is made anew" in caplog.text) == (damaged == array)
    damaged.unlink()
    damaged.mkdir()
    (damaged / "somebody's").touch()
    with pytest.raises(ValueError, match="is a folder, but a file is to be written there"):
        sealed_array(array, write)
    assert (damaged / "somebody's").exists()
