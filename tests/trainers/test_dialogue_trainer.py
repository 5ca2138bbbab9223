"""The Trainer of dialogues: predictions and scores one row an utterance, in the order of the texts."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from trainers.dialogue_trainer import DialogueTrainer
from trainers.evaluation.metrics import score
from trainers.evaluation.task_metrics import TaskMetrics


@pytest.fixture
def trainer(tiny: ModuleType, tmp_path: Path) -> DialogueTrainer:
    return tiny.trainer("dialogue", tmp_path, size=7, per_device_eval_batch_size=2)


def test_predictions_are_in_the_order_of_the_texts(trainer: DialogueTrainer) -> None:
    data = trainer.eval_dataset
    found = trainer.predict(data)
    assert found.predictions.shape == (len(data.labels), 3)
    assert found.label_ids.tolist() == data.labels.tolist()
    model = trainer.model.eval()
    for number, rows in enumerate(data.dialogues):
        inputs = data[number]
        with torch.no_grad():
            logits = model(
                utterance_representations=inputs["utterance_representations"][None],
                speaker_ids=inputs["speaker_ids"][None],
            ).logits[0]
        torch.testing.assert_close(torch.from_numpy(found.predictions[rows]), logits)


def test_scores_are_over_utterances(tiny: ModuleType, trainer: DialogueTrainer) -> None:
    found = trainer.predict(trainer.eval_dataset)
    expected = score(found.predictions, found.label_ids, "single_label_classification")
    metrics = trainer.evaluate()
    assert {name: metrics[f"eval_{name}"] for name in expected} == pytest.approx(expected)


def test_utterances_of_several_labels_are_scored_without_padding(tiny: ModuleType, tmp_path: Path) -> None:
    data = tiny.dialogues(7)
    data.labels = torch.from_numpy((np.random.default_rng(1).random((len(data.labels), 3)) < 0.4).astype(np.float32))
    task = {"labels": ["bad", "so-so", "good"], "problem_type": "multi_label_classification"}
    trainer = DialogueTrainer(
        model=tiny.dialogue_model(problem_type=task["problem_type"]),
        args=tiny.arguments(tmp_path, per_device_eval_batch_size=2),
        train_dataset=data,
        eval_dataset=data,
        data_collator=tiny.collate_dialogues,
        compute_metrics=TaskMetrics({"emotion": task}),
    )
    trainer.train()
    found = trainer.predict(data)
    assert np.array_equal(found.label_ids, data.labels.numpy())
    metrics = trainer.evaluate()
    expected = score(found.predictions, found.label_ids, task["problem_type"])
    assert {name: metrics[f"eval_{name}"] for name in expected} == pytest.approx(expected)
