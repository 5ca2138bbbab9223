"""Texts and tokens of runs lie on disk, so that memory does not grow with the texts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import pytest

import trainers.data.sources
from tests.helpers import hub_server, tiny_run
from trainers.commands import recurrent
from trainers.runs.stage_trainers import build_trainer


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows at a time that even these files are read in several parts."""
    monkeypatch.setattr(trainers.data.sources, "BATCH_SIZE", 4)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


def test_tokenised_texts_lie_on_disk_and_are_found_again(place: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    moods = place / "data" / "moods"
    options = {"encoder": None, "recipe": None, "emotion_dataset": moods, "emotion_label_columns": None}
    argv = tiny_run.options(place, tmp_path / "out", embedding_size=8, branches="gru:4", **options)
    trained = []
    for _ in range(2):
        runner = recurrent.prepare(argv)
        trainer = build_trainer(runner.prepared.final, runner.prepared)
        files = [rows.cache_files[0]["filename"] for rows in (trainer.train_dataset, trainer.eval_dataset)]
        trained.append({name: os.stat(name).st_mtime_ns for name in files})
        assert all(Path(name).parent == tmp_path / "cache" / "csr-emotion" for name in files)
    assert trained[0] == trained[1]
    text = runner.prepared.tasks["emotion"].splits["train"]["text"][3]
    assert trainer.train_dataset[3]["input_ids"] == runner.prepared.tokenizer(text)["input_ids"]
    # Another length is another file.
    runner = recurrent.prepare([*argv, "--max_length", "5"])
    shorter = build_trainer(runner.prepared.final, runner.prepared).train_dataset
    assert shorter.cache_files[0]["filename"] not in files and max(map(len, shorter["input_ids"])) == 5


# -- in a process of its own ------------------------------------------------------------------------------------------

FRESH = """
import json, sys, tracemalloc
from pathlib import Path
import trainers.data.sources
trainers.data.sources.BATCH_SIZE = 500
from huggingface_hub import HfApi
import pyarrow
from trainers.commands.recurrent import prepare
from trainers.data.task_dataset import load_task_dataset
from trainers.runs.stage_trainers import build_trainer

place, found = Path(sys.argv[1]), {"python": {}, "arrow": {}, "splits": {}}
options = "--branches gru:4 --embedding_size 8 --normalization none --use_cpu True"

def write(size):
    folder = place / str(size)
    folder.mkdir(exist_ok=True)
    for split, rows in (("train", size), ("dev", 20)):
        with open(folder / f"{split}.csv", "w") as file:
            file.write("text,label\\n")
            # One long word: 1 kB to hold, and few tokens.
            file.writelines(f"{split} {row} {'x' * 1000},{('joy', 'fear')[row % 2]}\\n" for row in range(rows))
    return str(folder)

def load(size):
    data = load_task_dataset(write(size))
    assert len(data.splits["train"]) == size

def hold(size):
    data = load_task_dataset(write(size))
    assert len(data.splits["train"]["text"][:]) == size

def run(size):
    argv = [*options.split(), "--emotion_dataset", write(size), "--output_dir", str(place / f"out-{size}")]
    prepared = prepare(argv).prepared
    assert len(build_trainer(prepared.final, prepared).train_dataset) == size

def measure(name, function, *sizes):
    for size in sizes:
        tracemalloc.start()
        function(size)
        found["python"][name, size] = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        # Arrow's is the most since the process began: what comes first shows what it needs by itself.
        found["arrow"][name, size] = pyarrow.default_memory_pool().max_memory() / 1e6

run(10)  # what is imported and remembered once
# Python's table of interned strings grows in leaps of megabytes: the next one comes here, not in what is measured.
{sys.intern(f"string {number}") for number in range(300_000)}
measure("loaded", load, 2_000, 10_000)
measure("run", run, 2_000, 5_000)
measure("held", hold, 2_000, 10_000)
for kind in ("python", "arrow"):
    found[kind] = {f"{name} {size}": peak for (name, size), peak in found[kind].items()}

HfApi().create_repo("org/posts", repo_type="dataset")
HfApi().upload_folder(folder_path=sys.argv[2], repo_id="org/posts", repo_type="dataset")
for split, rows in load_task_dataset("org/posts").splits.items():
    found["splits"][split] = [len(rows), rows.cache_files[0]["filename"]]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a process measured that had a Hub on loopback."""
    place = tmp_path_factory.mktemp("fresh")
    for split, size in (("train", 23), ("validation", 5)):
        rows = tiny_run.label_rows(tiny_run.EMOTIONS, size, seed=1)
        tiny_run.write_jsonl(place / "posts" / f"{split}.jsonl", rows)
    with hub_server.HubServer({"hf_me": hub_server.Token("me", organisations={"org": "admin"})}) as hub:
        environment = hub.environment(place / "home", token="hf_me", PYTHONPATH=str(tiny_run.REPOSITORY))
        command = [sys.executable, "-c", FRESH, str(place), str(place / "posts")]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_memory_does_not_grow_with_the_texts(fresh: dict[str, dict[str, float]]) -> None:
    """What Python and Arrow hold at most, in MB; the larger files have 10 and 5 MB."""
    python, arrow = fresh["python"], fresh["arrow"]
    texts = 8_000 * 1000 / 1e6
    assert python["loaded 10000"] - python["loaded 2000"] < 0.05 * texts, python
    assert arrow["loaded 10000"] - arrow["loaded 2000"] < 0.05 * texts, arrow
    # The test can tell: as a list, they are all there.
    assert python["held 10000"] - python["held 2000"] > texts, python
    # From the files to the tokenised texts. Some numbers for each text stay, such as its place in the order.
    texts = 3_000 * 1000 / 1e6
    assert python["run 5000"] - python["run 2000"] < 0.25 * texts, python
    assert arrow["run 5000"] < arrow["loaded 2000"] + 0.25 * texts, arrow


def test_a_dataset_of_the_hub(fresh: dict[str, dict[str, Any]]) -> None:
    splits = fresh["splits"]
    assert {split: rows for split, (rows, _) in splits.items()} == {"train": 23, "dev": 5}
    for _, file in splits.values():
        assert Path(file).parts[-4:-1] == ("home", "datasets", "csr-emotion")
