"""Stages of several tasks: texts that tasks share are read once, tasks are weighted, and each is scored."""

import math
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset

import trainers.experiments
from tests.helpers import tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.loop.samplers import TaskBatches
from trainers.multitask_trainer import TASK_WEIGHT_LEARNING_RATE, join_texts, joined_rows
from trainers.recipes import RECIPES
from trainers.runs.runner import Runner
from trainers.runs.stage_trainers import build_trainer

NAN = float("nan")
assert trainers.experiments  # registers the recipes of one task
ALL_IN_ONE = RECIPES["all-in-one"].final


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Emotions of 80 texts, intensities of the first 40 of them and of 8 others, valence of 12 of them."""
    folder = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    for split, size, seed in (("train", 80, 1), ("dev", 15, 2)):
        texts = [row["text"] for row in tiny_run.emotion_rows(size, seed)]
        rng = np.random.default_rng(seed)
        others = [f"{split} text number {number}" for number in range(8)]
        scored = [
            {"text": text, "anger": rng.random() if index % 2 else None, "joy": rng.random() if index % 3 else None}
            for index, text in enumerate(texts[: size // 2] + others)
        ]
        tiny_run.write_jsonl(folder / "data" / "intensities" / f"{split}.jsonl", scored)
        valences = [{"text": text, "score": rng.random()} for text in texts[-12:]]
        tiny_run.write_jsonl(folder / "data" / "valences" / f"{split}.jsonl", valences)
    return folder


def runner(place: Path, output_dir: Path, **changes: Any) -> Runner:
    changes = {
        "recipe": ["all-in-one"],
        "intensity_dataset": place / "data" / "intensities",
        "intensity_label_columns": ["anger", "joy"],
        "valence_dataset": place / "data" / "valences",
        **changes,
    }
    return Runner(parse_run_arguments(tiny_run.options(place, output_dir, **changes)))


# -- texts that tasks share --------------------------------------------------------------------------------------------


def test_rows_of_a_text_are_joined() -> None:
    emotion = Dataset.from_dict({"text": ["a", "b", "a"], "labels_emotion": [[1.0], [0.0], [0.5]]})
    valence = Dataset.from_dict({"text": ["c", "a", "a", "a"], "labels_valence": [[0.1], [0.2], [NAN], [0.4]]})
    rows = join_texts([emotion, valence]).to_list()
    # The first "a" with the first, the second with the second; what one lacks is None.
    assert [row["text"] for row in rows] == ["a", "b", "a", "c", "a"]
    assert [row["labels_emotion"] for row in rows] == [[1.0], [0.0], [0.5], None, None]
    assert [row["labels_valence"] for row in rows[:2]] == [[0.2], None]
    assert math.isnan(rows[2]["labels_valence"][0])
    assert [row["labels_valence"] for row in rows[3:]] == [[0.1], [0.4]]


def test_stage_reads_each_text_once(place: Path, tmp_path: Path) -> None:
    run = runner(place, tmp_path).prepared
    rows = build_trainer(ALL_IN_ONE, run).train_dataset
    assert len(rows) == 80 + 8
    present = Counter(tuple(task for task in ALL_IN_ONE.tasks if row[f"labels_{task}"] is not None) for row in rows)
    assert present == {("emotion", "intensity"): 40, ("emotion",): 28, ("emotion", "valence"): 12, ("intensity",): 8}
    # In the order of the first task, with its labels.
    assert np.array_equal(np.float32(rows["labels_emotion"][:80]), run.labels("train"))
    alone = build_trainer(RECIPES["bert"].final, run).train_dataset
    assert rows["input_ids"][:80] == alone["input_ids"][:]


def test_rows_of_each_task_are_found_among_the_joined(place: Path, tmp_path: Path) -> None:
    """Also of a text that stands twice: comparisons need the dev scores in the order of the task's own data."""
    run = runner(place, tmp_path).prepared
    texts = run.tasks["valence"].splits["dev"]["text"]
    twice = {"text": [texts[3], "new", texts[3], texts[0]], "labels": [[0.1], [0.2], [0.3], [0.4]]}
    valence = run.tasks["valence"].splits
    valence["dev"] = Dataset.from_dict(twice, features=valence["dev"].features)
    trainer = build_trainer(ALL_IN_ONE, run)
    rows, found = trainer.eval_dataset, joined_rows(trainer.plain_datasets["eval"])
    assert found["emotion"].tolist() == list(range(15))
    # Of the 15 texts of the emotions valence has the last 12; what is new comes after the 8 of the intensities.
    assert found["valence"].tolist() == [6, 23, 24, 3]
    for task in ALL_IN_ONE.tasks:
        labels = np.float32([rows[f"labels_{task}"][int(place)] for place in found[task]])
        np.testing.assert_array_equal(labels, run.labels("dev", task))
    alone = joined_rows({"valence": valence["dev"]})["valence"]
    assert alone.tolist() == [0, 1, 2, 3]


def test_tasks_that_share_no_text_stand_one_after_the_other(place: Path, tmp_path: Path) -> None:
    run = runner(place, tmp_path, recipe=["model-2"]).prepared
    rows = build_trainer(RECIPES["model-2"].final, run).train_dataset
    parts = [build_trainer(RECIPES[recipe].final, run).train_dataset for recipe in ("bert", "single-sentiment")]
    assert rows["input_ids"][:] == [ids for part in parts for ids in part["input_ids"]]
    assert rows["labels_sentiment"][:] == [None] * 80 + parts[1]["labels_sentiment"][:]


# -- the order of the batches ------------------------------------------------------------------------------------------

NAMES = ["emotion"] * 50 + ["valence"] * 13 + ["emotion"] * 11
LENGTHS = [(7 * row) % 40 + 3 for row in range(74)]


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_batches_hold_texts_of_one_task(lengths: list[int] | None) -> None:
    sampler = TaskBatches(NAMES, lengths, batch_size=8, seed=1)
    assert len(sampler) == 74
    orders = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        order = list(sampler)
        assert sorted(order) == list(range(74))
        batches = [{NAMES[row] for row in order[start : start + 8]} for start in range(0, 64, 8)]
        # 61 texts make 7 batches and 13 make 1; 5 of each are left.
        assert Counter(map(tuple, batches)) == {("emotion",): 7, ("valence",): 1}
        assert [NAMES[row] for row in order[64:]] == ["emotion"] * 5 + ["valence"] * 5
        orders.append(order)
    assert orders[0] != orders[1]
    sampler.set_epoch(1)
    assert list(sampler) == orders[1]


def test_trainer_draws_by_task(place: Path, tmp_path: Path) -> None:
    run = runner(place, tmp_path, task_sampling="by_task")
    trainer = build_trainer(ALL_IN_ONE, run.prepared)
    batches = list(trainer.get_train_dataloader())
    labelled = [{task for task, labels in batch["labels"].items() if not labels.isnan().all()} for batch in batches]
    # 80 + 48 + 12 rows in batches of 8
    assert Counter(map(tuple, labelled[:17])) == {("emotion",): 10, ("intensity",): 6, ("valence",): 1}
    assert sum(len(batch["input_ids"]) for batch in batches) == 140
    assert len(trainer.eval_dataset) == 15 + 8  # dev is joined all the same


# -- the weights of the tasks ------------------------------------------------------------------------------------------


def weights(model: Any) -> dict[str, float]:
    return {task: config.get("loss_weight", 1.0) for task, config in model.config.tasks.items()}


def test_weights_by_size_are_shares_of_what_is_labelled(place: Path, tmp_path: Path) -> None:
    run = runner(place, tmp_path, task_weighting="size")
    # Of 48 texts, 24 have a score of anger, 32 one of joy: as many as 28 whole ones.
    total = 80 + 28 + 12
    expected = {"emotion": 3 * 80 / total, "intensity": 3 * 28 / total, "valence": 3 * 12 / total}
    assert weights(build_trainer(ALL_IN_ONE, run.prepared).model) == pytest.approx(expected, abs=1e-6)


def test_equal_weights_are_one(place: Path, tmp_path: Path) -> None:
    model = build_trainer(ALL_IN_ONE, runner(place, tmp_path).prepared).model
    assert weights(model) == dict.fromkeys(ALL_IN_ONE.tasks, 1.0)
    assert model.log_variances is None
    # No layers that the twins lack.
    alone = runner(place, tmp_path, recipe=["single-valence"]).prepared
    twin = build_trainer(RECIPES["single-valence"].final, alone).model
    assert len(model.multitask.shared_layers) == len(twin.multitask.shared_layers) == 0


def test_learned_weights_have_a_rate_of_their_own(place: Path, tmp_path: Path) -> None:
    run = runner(place, tmp_path, task_weighting="uncertainty", head_learning_rate=1e-3)
    trainer = build_trainer(ALL_IN_ONE, run.prepared)
    optimizer = trainer.create_optimizer()
    groups = {group["lr_of"]: group for group in optimizer.param_groups}
    assert {name: group["lr"] for name, group in groups.items()} == {
        "encoder": 1e-2,
        "head": 1e-3,
        "task_weights": TASK_WEIGHT_LEARNING_RATE,
    }
    assert groups["task_weights"]["weight_decay"] == 0
    listed = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    assert len(set(listed)) == len(listed)
    assert set(listed) == {id(parameter) for parameter in trainer.model.parameters() if parameter.requires_grad}


def test_learned_weights_move(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = tiny.trainer("three-tasks", tmp_path)
    trainer.train()
    assert all(value.item() != 0 for value in trainer.model.log_variances.values())


def test_options_are_in_the_record_where_they_matter(place: Path, tmp_path: Path) -> None:
    changed = {"task_weighting": "size", "task_sampling": "by_task"}
    recipes = ["all-in-one", "single-valence"]
    plain, other = (runner(place, tmp_path, recipe=recipes, **options).prepared.records for options in ({}, changed))
    assert {name: plain["all-in-one"].made_from[name] for name in changed} == {
        "task_weighting": "equal",
        "task_sampling": "mixed",
    }
    assert {name: other["all-in-one"].made_from[name] for name in changed} == changed
    assert other["valence-encoder"].digest == plain["valence-encoder"].digest


# -- scores ------------------------------------------------------------------------------------------------------------


def test_each_task_is_scored(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = tiny.trainer("three-tasks", tmp_path, per_device_eval_batch_size=4)
    results, logits = trainer.report("fixed")
    rows = [trainer.data_collator([row]) for row in trainer.eval_dataset]
    with torch.no_grad():
        outputs = [
            trainer.model.eval()(**{name: value for name, value in row.items() if name != "labels"}) for row in rows
        ]
    assert results["task"] == "emotion"
    assert {task: len(rows) for task, rows in logits.items()} == {"emotion": 14, "sentiment": 7, "intensity": 15}
    assert list(results["tasks"]) == ["sentiment", "intensity"]
    scores = results["tasks"]["intensity"]
    found = {}
    for index, name in enumerate(tiny.INTENSITY["labels"]):
        gold = np.array([row["labels"]["intensity"][0, index].item() for row in rows])
        predicted = np.array([output.task_logits["intensity"][0, index].item() for output in outputs])
        present = ~np.isnan(gold)
        found[name] = np.corrcoef(gold[present], predicted[present])[0, 1]
        assert scores["per_label"][name]["pearson"] == pytest.approx(found[name], abs=1e-4)
        assert scores["per_label"][name]["support"] == present.sum() == 10
    assert scores["metrics"]["pearson"] == pytest.approx(np.mean(list(found.values())), abs=1e-4)
    assert sum(label["support"] for label in results["tasks"]["sentiment"]["per_label"].values()) == 7


def test_thresholds_of_a_task_go_into_the_config(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = tiny.trainer("two-tasks", tmp_path)
    results, _ = trainer.report("global")
    found = list(results["thresholds"].values())
    assert len(set(found)) == 1 and trainer.model.config.tasks["emotion"]["thresholds"] == found


def test_dev_texts_without_any_score_have_a_row_all_the_same(place: Path, tmp_path: Path) -> None:
    """In the files that runs are compared by, and not in the scores."""
    rows = [{"text": f"text {number}", "score": number / 9 if number else None} for number in range(9)]
    for split in ("train", "dev"):
        tiny_run.write_jsonl(tmp_path / "data" / f"{split}.jsonl", rows)
    changes = {"valence_dataset": tmp_path / "data", "num_train_epochs": 1, "task_sampling": "by_task"}
    runner(place, tmp_path / "out", recipe=["single-valence", "all-in-one"], **changes).run()
    for stage, name in (("valence-encoder", "dev_logits.npy"), ("all-in-one", "dev_logits_valence.npy")):
        folder = tmp_path / "out" / stage
        results = tiny_run.read_json(folder / "eval_results.json")
        assert np.load(folder / name).shape == (9, 1)
        assert results.get("tasks", {}).get("valence", results)["per_label"]["score"]["support"] == 8
    names = {path.name for path in folder.glob("*.npy")}
    assert names == {"dev_logits.npy", "dev_logits_intensity.npy", "dev_logits_valence.npy"}


# -- what cannot work --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intensity_dataset": "csr-emotion-posts"}, "csr-emotion-posts is for multi_label_classification"),
        ({"emotion_dataset": "semeval2018-v-reg"}, "semeval2018-v-reg is for regression"),
        ({"intensity_label_columns": ["rage"]}, "no column rage; its columns are text, anger, joy"),
        ({"valence_dataset": "nowhere/valence.csv"}, "valence.csv does not exist"),
    ],
)
def test_data_that_do_not_fit_are_refused(place: Path, tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises((ValueError, OSError), match=message):
        runner(place, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_samples_of_scored_texts(place: Path, tmp_path: Path) -> None:
    run = runner(place, tmp_path, max_train_samples=10).prepared
    assert {len(data.splits["train"]) for data in run.tasks.values()} == {10}
