"""`push_to_hub()` of a Trainer and of a run, to a Hub on loopback, and what a fresh process loads from there."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import fresh_process, tiny_run
from tests.helpers.published_run import TOKEN, organisation_hub

TRAIN = """
import sys
from datasets import Dataset
from modeling_csr import MultitaskForSequenceClassification
from tests.helpers import tiny_run
from trainers import MultitaskTrainer, StageTrainingArguments, train
from trainers.data import load_tokenizer

place = sys.argv[1]
labels = list(tiny_run.EMOTIONS)
rows = [{"text": row["text"], "labels": [name for name in labels if row[name]]} for row in tiny_run.emotion_rows(24, 1)]
tasks = {"emotion": {"labels": labels, "problem_type": "multi_label_classification"}}
quick = {"num_train_epochs": 1, "use_cpu": True, "bf16_weights": False, "disable_tqdm": True, "save_strategy": "no"}
trainer = MultitaskTrainer(
    model=MultitaskForSequenceClassification.from_encoder(f"{place}/encoder", tasks),
    args=StageTrainingArguments(output_dir=f"{place}/alone", hub_model_id="org/alone", max_length=64, **quick),
    train_dataset=Dataset.from_list(rows),
    eval_dataset=Dataset.from_list(rows[:8]),
    processing_class=load_tokenizer(f"{place}/encoder"),
)
trainer.train()
print(trainer.push_to_hub())
# The stock method pushes by itself then.
trainer.args.push_to_hub = True
trainer.save_model()
result = train("bert", emotion=rows, encoder=f"{place}/encoder", output_dir=f"{place}/run", max_length=64, **quick)
print(result.push_to_hub("org/run"))
"""
USE = """
import json, sys
from transformers import AutoModel, pipeline
classifier = pipeline("emotion-classification", model=sys.argv[1], trust_remote_code=True, top_k=None)
model = AutoModel.from_pretrained(sys.argv[1], trust_remote_code=True)
print(json.dumps([type(model).__name__, classifier("so happy")]))
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Any]:
    with organisation_hub() as server:
        yield server


@pytest.fixture(scope="module")
def place(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a Trainer and a run were pushed from."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    environment = hub.environment(place / "home", TOKEN, PYTHONPATH=str(tiny_run.REPOSITORY), OMP_NUM_THREADS="1")
    done = fresh_process.run("-c", TRAIN, place, env=environment)
    assert done.returncode == 0, done.stderr
    assert {"org/alone", "org/run"} <= set(done.stdout.splitlines())
    return place


def test_repository_is_complete_in_one_commit(hub: Any, place: Path) -> None:
    _, *commits = hub.repositories["org/alone"].commits
    assert [commit.title for commit in commits] == ["End of training", "Model save"]
    files = set(hub.repositories["org/alone"].files())
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "eval_results.json"} <= files
    assert {"modeling_multitask.py", "configuration_multitask.py", "decisions.png", "space.png"} <= files
    assert not [name for name in files if name.endswith((".bin", ".npy", ".pt"))]
    assert set(hub.repositories["org/run"].files()) >= files - {"space.png"}  # its dev split is two texts


def test_card_tells_scores_and_arguments(hub: Any, place: Path) -> None:
    card = hub.repositories["org/alone"].files()["README.md"].decode("utf-8")
    metrics = tiny_run.read_json(place / "alone" / "eval_results.json")["metrics"]
    assert f"{metrics['macro_f1']:.4f}" in card and "anger" in card and "num_train_epochs" in card
    assert str(place) not in card and "None" not in card.split("```")[0]


@pytest.mark.parametrize("name", ["org/alone", "org/run"])
def test_fresh_process_loads_it_without_the_package(hub: Any, place: Path, tmp_path: Path, name: str) -> None:
    libraries = os.pathsep.join(path for path in sys.path if Path(path).name in ("site-packages", "dist-packages"))
    environment = hub.environment(tmp_path / "home", None, PYTHONPATH=libraries, OMP_NUM_THREADS="1")
    done = fresh_process.run("-S", "-c", USE, name, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kind, answers = json.loads(done.stdout.splitlines()[-1])
    assert kind == "MultitaskModel" and {answer["label"] for answer in answers} == set(tiny_run.EMOTIONS)
