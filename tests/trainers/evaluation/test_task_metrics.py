"""Scores of several tasks at once. What each score is worth is in test_metrics.py, worked out by hand."""

import itertools

import numpy as np
import pytest
import torch
from transformers import EvalPrediction, Trainer, TrainingArguments

from trainers.evaluation.metrics import METRICS, MultiLabelMetric, RankingMetric, SingleLabelMetric
from trainers.evaluation.task_metrics import TaskMetrics

MULTI, SINGLE = "multi_label_classification", "single_label_classification"
GOLD = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]])
PREDICTED = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0], [1, 0, 0]])
MULTI_SCORES = MultiLabelMetric().compute(predictions=PREDICTED, references=GOLD)
MULTI_SCORES |= RankingMetric().compute(predictions=PREDICTED, references=GOLD)
GOLD_IDS = np.array([0, 0, 1, 2])
PREDICTED_IDS = np.array([0, 1, 1, 0])
SINGLE_SCORES = SingleLabelMetric().compute(predictions=PREDICTED_IDS, references=GOLD_IDS, num_labels=4)
NAN = float("nan")


def logits_of(matrix):
    """Logits that lead to these decisions at 0.5."""
    return np.where(np.asarray(matrix) == 1, 2.0, -2.0).astype(np.float32)


TASKS = {
    "emotion": {"labels": ["anger", "joy", "fear"], "problem_type": MULTI},
    "sentiment": {"labels": ["negative", "neutral", "positive", "mixed"], "problem_type": SINGLE},
    "intensity": {"labels": ["intensity"], "problem_type": "regression"},
}
EMOTION = {"emotion": TASKS["emotion"]}
SENTIMENT = {"sentiment": TASKS["sentiment"]}


def test_task_metrics_of_one_task_takes_an_array_or_a_dict():
    metrics = TaskMetrics(EMOTION)
    logits, gold = logits_of(PREDICTED), GOLD.astype(np.float32)
    for predictions, labels in itertools.product((logits, {"emotion": logits}), (gold, {"emotion": gold})):
        scores = metrics(EvalPrediction(predictions=predictions, label_ids=labels))
        assert scores == pytest.approx(MULTI_SCORES)


def test_task_metrics_of_several_tasks_names_them():
    logits = {
        "emotion": logits_of(PREDICTED),
        "sentiment": np.eye(4, dtype=np.float32)[PREDICTED_IDS],
        "intensity": np.zeros((4, 1), dtype=np.float32),
    }
    labels = {
        "emotion": GOLD.astype(np.float32),
        "sentiment": GOLD_IDS,
        "intensity": np.array([0.1, 0.2, NAN, 0.4], dtype=np.float32),
    }
    scores = TaskMetrics(TASKS)(EvalPrediction(predictions=logits, label_ids=labels))
    expected = {f"emotion_{key}": value for key, value in MULTI_SCORES.items()}
    expected.update({f"sentiment_{key}": value for key, value in SINGLE_SCORES.items()})
    # The same for all texts correlates with nothing; it is off by 0.1, 0.2 and 0.4.
    expected.update({"intensity_pearson": 0.0, "intensity_mean_absolute_error": 0.7 / 3})
    assert scores == pytest.approx(expected)


def test_task_metrics_leaves_rows_without_labels_out():
    gold = np.concatenate([[[NAN] * 3], GOLD]).astype(np.float32)
    logits = np.concatenate([[[2.0] * 3], logits_of(PREDICTED)])
    scores = TaskMetrics(EMOTION)(EvalPrediction(predictions=logits, label_ids=gold))
    assert scores == pytest.approx(MULTI_SCORES)
    # Of a text with some labels, these count: here two that are missed, in one more text.
    gold, logits = np.concatenate([gold, [[1.0, 1.0, NAN]]]), np.concatenate([logits, [[-2.0, -2.0, 2.0]]])
    scores = TaskMetrics(EMOTION)(EvalPrediction(predictions=logits, label_ids=gold))
    assert (scores["jaccard"], scores["micro_f1"]) == (2.5 / 5, 2 * 3 / (5 + 6))

    ids = np.concatenate([[-100], GOLD_IDS, [-100]])
    logits = np.eye(4)[np.concatenate([[3], PREDICTED_IDS, [2]])]
    scores = TaskMetrics(SENTIMENT)(EvalPrediction(predictions=logits, label_ids=ids))
    assert scores == pytest.approx(SINGLE_SCORES)


def test_task_metrics_leaves_tasks_without_labels_out():
    logits = {"emotion": logits_of(PREDICTED), "sentiment": np.eye(4)[PREDICTED_IDS]}
    metrics = TaskMetrics({**EMOTION, **SENTIMENT})
    labels = {"emotion": np.full((4, 3), NAN), "sentiment": GOLD_IDS}
    scores = metrics(EvalPrediction(predictions=logits, label_ids=labels))
    assert set(scores) == {f"sentiment_{key}" for key in SINGLE_SCORES}
    scores = metrics(EvalPrediction(predictions=logits, label_ids={"emotion": GOLD.astype(float)}))
    assert set(scores) == {f"emotion_{key}" for key in MULTI_SCORES}
    assert metrics(EvalPrediction(predictions=logits, label_ids={"sentiment": np.full(4, -100)})) == {}


def test_task_metrics_reads_the_thresholds_at_each_call():
    task = {"labels": ["anger", "joy"], "problem_type": MULTI}
    metrics = TaskMetrics({"emotion": task})
    prediction = EvalPrediction(
        predictions=np.array([[1.0, -1.0], [0.5, -3.0]]), label_ids=np.array([[1.0, 1.0], [0.0, 0.0]])
    )
    assert metrics(prediction)["jaccard"] == 0.25
    task["thresholds"] = [0.7, 0.2]
    assert metrics(prediction)["jaccard"] == 1.0


def test_task_metrics_computes_the_metrics_of_a_subclass():
    class RecallMetric(SingleLabelMetric):
        def _compute(self, **inputs):
            return {"recall": super()._compute(**inputs)["macro_recall"]}

    class RecallMetrics(TaskMetrics):
        metric_classes = {**METRICS, SINGLE: RecallMetric}

    logits = {"emotion": logits_of(PREDICTED), "sentiment": np.eye(4)[PREDICTED_IDS]}
    labels = {"emotion": GOLD.astype(np.float32), "sentiment": GOLD_IDS}
    scores = RecallMetrics({**EMOTION, **SENTIMENT})(EvalPrediction(predictions=logits, label_ids=labels))
    assert scores["sentiment_recall"] == SINGLE_SCORES["macro_recall"]
    assert set(scores) == {"sentiment_recall", *(f"emotion_{key}" for key in MULTI_SCORES)}


def test_task_metrics_refuses_what_it_cannot_place():
    logits, gold = logits_of(PREDICTED), GOLD.astype(np.float32)
    with pytest.raises(ValueError, match=r"predictions must be a dict.*emotion, sentiment.*got ndarray"):
        TaskMetrics({**EMOTION, **SENTIMENT})(EvalPrediction(predictions=logits, label_ids={"emotion": gold}))
    with pytest.raises(ValueError, match=r"predictions must be .*got tuple"):
        TaskMetrics(EMOTION)(EvalPrediction(predictions=(logits, logits), label_ids=gold))
    with pytest.raises(ValueError, match="Task 'emotion' has labels but no predictions; there are sentiment"):
        TaskMetrics(EMOTION)(EvalPrediction(predictions={"sentiment": logits}, label_ids={"emotion": gold}))


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({}, "tasks is empty"),
        ({"emotion": {**TASKS["emotion"], "thresholds": [0.5]}}, "Task 'emotion': There are 3 labels but 1 thresholds"),
        ({"sentiment": {**TASKS["sentiment"], "thresholds": [0.5] * 4}}, "Task 'sentiment': thresholds are for multi"),
        ({"emotion": {**TASKS["emotion"], "problem_type": "ranking"}}, "Task 'emotion': problem_type must be one of"),
    ],
)
def test_task_metrics_refuses_tasks_at_once(tasks, message):
    with pytest.raises(ValueError, match=message):
        TaskMetrics(tasks)


class GivenLogits(torch.nn.Module):
    """Hands its inputs on as the logits of two tasks."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, emotion_logits, sentiment_logits, labels=None):
        logits = {"emotion": emotion_logits * self.scale, "sentiment": sentiment_logits * self.scale}
        return {"loss": self.scale * 0, "logits": logits}


def test_task_metrics_in_a_trainer(tmp_path):
    def collate(rows):
        labels = {
            "emotion": torch.stack([row["emotion"] for row in rows]),
            "sentiment": torch.stack([row["sentiment"] for row in rows]),
        }
        return {
            "emotion_logits": torch.stack([row["emotion_logits"] for row in rows]),
            "sentiment_logits": torch.stack([row["sentiment_logits"] for row in rows]),
            "labels": labels,
        }

    rows = [
        {
            "emotion_logits": torch.tensor(logits_of(PREDICTED)[i % 4]),
            "sentiment_logits": torch.eye(4)[PREDICTED_IDS[i % 4]],
            # The first four rows are labelled for emotion, the others for sentiment.
            "emotion": torch.tensor(GOLD[i]).float() if i < 4 else torch.full((3,), NAN),
            "sentiment": torch.tensor(GOLD_IDS[i - 4] if i >= 4 else -100),
        }
        for i in range(8)
    ]
    trainer = Trainer(
        model=GivenLogits(),
        args=TrainingArguments(
            output_dir=str(tmp_path), per_device_eval_batch_size=3, remove_unused_columns=False, use_cpu=True
        ),
        data_collator=collate,
        eval_dataset=rows,
        compute_metrics=TaskMetrics({**EMOTION, **SENTIMENT}),
    )
    results = trainer.evaluate()
    for key, value in MULTI_SCORES.items():
        assert results[f"eval_emotion_{key}"] == pytest.approx(value)
    for key, value in SINGLE_SCORES.items():
        assert results[f"eval_sentiment_{key}"] == pytest.approx(value)
