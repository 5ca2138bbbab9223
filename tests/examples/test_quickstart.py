"""The notebook's cells run one after the other, as somebody who opens it runs them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import tiny_run

NOTEBOOK = tiny_run.REPOSITORY / "examples" / "quickstart.ipynb"


def test_cells_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").mkdir()
    shutil.copytree(tiny_run.REPOSITORY / "trainers" / "data" / "posts", tmp_path / "trainers" / "data" / "posts")
    monkeypatch.chdir(tmp_path / "examples")
    names: dict[str, Any] = {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    labels = {label for row in names["posts"]["labels"] for label in row}
    assert {answer["label"] for answer in names["classifier"]("Hurray!", top_k=None)} == labels
    assert 0 <= names["result"].metrics["macro_f1"] <= 1
    assert (tmp_path / "outputs" / "quickstart" / "csr" / "README.md").is_file()
