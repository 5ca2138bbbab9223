"""Students against their speed: what is trained and measured, and what a second call takes up."""

from pathlib import Path

import pytest

from benchmarks import students
from tests.helpers import tiny_run

NAMES = ("layers-2", "layers-1", "bilstm-32")


def test_students_and_their_rivals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_run.write_data(tmp_path / "data", train=40, dev=12)
    encoder = tiny_run.write_encoder(tmp_path / "encoder", max_position_embeddings=128, num_hidden_layers=2)
    # Static embeddings are made by packages that may be there or not.
    monkeypatch.setattr(students, "find_spec", lambda name: None)
    monkeypatch.setattr(students, "matrix_speed", lambda **_: 1e9)
    argv = ["--data_dir", str(tmp_path / "data"), "--dataset", str(tmp_path / "data" / "moods"), "--seeds", "1"]
    argv += ["--unlabelled_dataset", str(tmp_path / "data" / "reviews"), "--encoder", str(encoder)]
    argv += ["--students", *NAMES, "--samples", "6", "--turns", "2", "--max_steps", "2"]
    argv += ["--output_dir", str(tmp_path / "runs"), "--results_dir", str(tmp_path / "results")]
    students.main(argv)
    found = tiny_run.read_json(tmp_path / "results" / "students-moods.json")
    kinds = ("distilled", "from labels alone")
    models = {f"{name}, {kind}" for name in NAMES for kind in kinds}
    assert set(found["floors"]) == {"stock pipeline", "teacher", *models}
    rivals = {"words (TF-IDF)", "frozen encoder"}
    assert set(found["scores"]) == set(found["seconds"]) == set(found["bytes"]) == {*found["floors"], *rivals}
    assert all(len(seconds) == 2 for seconds in found["seconds"].values())
    # Half the layers are half the work, and the twin that has them all is the teacher.
    for kind in kinds:
        assert found["floors"][f"layers-2, {kind}"] == pytest.approx(2 * found["floors"][f"layers-1, {kind}"])
    assert found["scores"]["layers-2, from labels alone"] == found["scores"]["teacher"]
    assert set(found["tests"]) == set(NAMES)
    table = (tmp_path / "results" / "students-moods.md").read_text(encoding="utf-8")
    assert "| stock pipeline | " in table and "| layers-1, distilled | " in table
    assert (tmp_path / "results" / "students-moods.png").stat().st_size > 1000

    weights = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.safetensors")}
    fitted = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.joblib")}
    assert len(fitted) == 2
    students.main(argv)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.safetensors")} == weights
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.joblib")} == fitted
    again = tiny_run.read_json(tmp_path / "results" / "students-moods.json")
    assert again["scores"] == found["scores"]


def test_layers_that_are_not_there(tmp_path: Path) -> None:
    encoder = str(tiny_run.write_encoder(tmp_path / "encoder", num_hidden_layers=2))
    students.check_layers(encoder, ["layers-2", "bilstm-32"])
    with pytest.raises(ValueError, match="--students layers-3: the encoder has 2 layers"):
        students.check_layers(encoder, ["layers-2", "layers-3"])
