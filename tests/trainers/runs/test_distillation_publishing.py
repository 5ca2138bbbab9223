"""A distilled model on the Hub: a stock classifier with a card, beside the stages of its teacher."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import fresh_process, tiny_run
from tests.helpers.published_run import TOKEN, organisation_hub

STUDENT = "org/csr-distilled"
USE = """
import json, sys
from transformers import pipeline
print(json.dumps(pipeline("text-classification", model=sys.argv[1], top_k=None)("so happy today")[0]))
"""


def run(hub: Any, home: Path, *argv: str, path: str = str(tiny_run.REPOSITORY), token: str | None = TOKEN) -> str:
    environment = hub.environment(home, token, PYTHONPATH=path, OMP_NUM_THREADS="1")
    result = fresh_process.run(*argv, env=environment)
    assert result.returncode == 0, result.stderr
    assert TOKEN not in result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def hub() -> Iterator[Any]:
    with organisation_hub() as server:
        yield server


@pytest.fixture(scope="module")
def student(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a student whose teacher and itself are on the Hub."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    quick = {"num_train_epochs": 2, "common_num_train_epochs": 2, "siamese_num_train_epochs": 1}
    published = tiny_run.options(place, place / "csr", push_to_hub=True, hub_model_id="org/csr", **quick)
    run(hub, place / "home", str(tiny_run.REPOSITORY / "examples" / "run_csr.py"), *published)
    options = {
        "teacher": place / "csr" / "csr",
        "teacher_id": "org/csr",
        "dataset": place / "data" / "posts",
        "unlabelled_dataset": place / "data" / "reviews",
        "output_dir": place / "student",
        "max_length": 64,
        "num_train_epochs": 2,
        "eval_strategy": "no",
        "save_strategy": "no",
        "use_cpu": True,
        "push_to_hub": True,
        "hub_model_id": STUDENT,
    }
    argv = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    argv += ["--label_columns", *tiny_run.EMOTIONS]
    run(hub, place / "home", str(tiny_run.REPOSITORY / "examples" / "distill_csr.py"), *argv)
    return place / "student"


def test_repository_needs_no_code(hub: Any, student: Path) -> None:
    files = hub.repositories[STUDENT].files()
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "eval_results.json"} <= set(files)
    assert not [name for name in files if name.endswith((".py", ".bin", ".npy"))]
    assert "auto_map" not in json.loads(files["config.json"])


def test_card_names_the_teacher(hub: Any, student: Path) -> None:
    data = hub.repositories[STUDENT].card_data()
    assert data["base_model"] == ["org/csr"] and data["base_model_relation"] == "finetune"


def test_student_stands_in_the_collection_of_its_teacher(hub: Any, student: Path) -> None:
    (collection,) = hub.collections
    assert collection.title == "csr: all stages"
    assert [item["id"] for item in collection.items][-2:] == ["org/csr", STUDENT]


def test_fresh_process_gets_the_numbers_of_the_local_model(hub: Any, student: Path, tmp_path: Path) -> None:
    # Without `site` (-S) no hook of an editable installation runs: this package is nowhere.
    libraries = os.pathsep.join(path for path in sys.path if Path(path).name in ("site-packages", "dist-packages"))
    answers = [
        run(hub, tmp_path / "home", "-S", "-c", USE, name, path=libraries, token=None).splitlines()[-1]
        for name in (STUDENT, str(student))
    ]
    assert answers[0] == answers[1]
    assert {answer["label"] for answer in json.loads(answers[0])} == set(tiny_run.EMOTIONS)
