from types import ModuleType

import pytest
import torch
from transformers import BertTokenizer

from trainers.csr_trainer import collate_representations
from trainers.loop.collators import SingleTaskCollator, TaskCollator

TASKS = {
    "emotion": {"labels": ["anger", "joy"], "problem_type": "multi_label_classification"},
    "sentiment": {"labels": ["bad", "so-so", "good"], "problem_type": "single_label_classification"},
    "intensity": {"labels": ["anger", "joy"], "problem_type": "regression"},
}


def rows(tokenizer: BertTokenizer) -> list[dict]:
    return [
        {**tokenizer("a happy day"), "labels_emotion": [0.0, 1.0], "labels_intensity": [0.1, 0.75]},
        {**tokenizer("so sad"), "labels_emotion": None, "labels_sentiment": 0, "labels_intensity": None},
        {**tokenizer("the rain will fall"), "labels_emotion": [0, 0], "labels_sentiment": 2},
    ]


def test_rows_without_labels_of_a_task_are_marked(tiny: ModuleType) -> None:
    labels = TaskCollator(tiny.tokenizer(), TASKS)(rows(tiny.tokenizer()))["labels"]
    assert list(labels) == ["emotion", "sentiment", "intensity"]
    missing = float("nan")
    for task, expected in {
        "emotion": [[0.0, 1.0], [missing, missing], [0.0, 0.0]],
        "intensity": [[0.1, 0.75], [missing, missing], [missing, missing]],
    }.items():
        torch.testing.assert_close(labels[task], torch.tensor(expected), equal_nan=True)
    assert labels["emotion"].dtype == torch.float32
    assert labels["sentiment"].tolist() == [-100, 0, 2] and labels["sentiment"].dtype == torch.int64


def test_batch_without_any_label_of_a_task_keeps_its_types(tiny: ModuleType) -> None:
    batch = [dict(tiny.tokenizer()(text)) for text in ("a day", "joy")]
    labels = TaskCollator(tiny.tokenizer(), TASKS)(batch)["labels"]
    assert labels["emotion"].shape == (2, 2) and labels["emotion"].isnan().all()
    assert labels["sentiment"].tolist() == [-100, -100] and labels["sentiment"].dtype == torch.int64


def test_texts_are_padded_to_the_longest(tiny: ModuleType) -> None:
    tokenizer = tiny.tokenizer()
    batch = TaskCollator(tokenizer, {"emotion": TASKS["emotion"]})(rows(tokenizer))
    assert batch.keys() == {"input_ids", "token_type_ids", "attention_mask", "labels"}
    texts = ["a happy day", "so sad", "the rain will fall"]
    expected = tokenizer(texts, padding=True, return_tensors="pt")
    assert batch["input_ids"].shape == (3, 6)
    for name in ("input_ids", "token_type_ids", "attention_mask"):
        assert torch.equal(batch[name], expected[name])
    assert batch["attention_mask"].sum(dim=1).tolist() == [5, 4, 6]


def test_token_types_are_left_out_where_the_tokenizer_has_none(tiny: ModuleType) -> None:
    vocabulary = tiny.tokenizer().get_vocab()
    tokenizer = BertTokenizer(vocab=vocabulary, model_input_names=["input_ids", "attention_mask"])
    batch = TaskCollator(tokenizer, {"emotion": TASKS["emotion"]})(rows(tokenizer))
    assert batch.keys() == {"input_ids", "attention_mask", "labels"}


@pytest.mark.parametrize("task", list(TASKS))
def test_labels_of_a_single_task_are_a_tensor(tiny: ModuleType, task: str) -> None:
    """A model of one task that knows no task names takes them; the rest of the batch is the same."""
    tokenizer, tasks = tiny.tokenizer(), {task: TASKS[task]}
    expected = TaskCollator(tokenizer, tasks)(rows(tokenizer))
    of_task = [{**row, "labels": row.get(f"labels_{task}")} for row in rows(tokenizer)]
    batch = SingleTaskCollator(tokenizer, tasks)(of_task)
    assert isinstance(batch["labels"], torch.Tensor)
    expected["labels"] = expected["labels"][task]
    assert batch.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(batch[name], value, rtol=0, atol=0, equal_nan=True)


def test_single_task_collator_refuses_several_tasks(tiny: ModuleType) -> None:
    tokenizer = tiny.tokenizer()
    with pytest.raises(ValueError, match="too many values"):
        SingleTaskCollator(tokenizer, TASKS)(rows(tokenizer))


@pytest.mark.parametrize("sources", [0, 1, 2])
def test_representations_are_stacked(sources: int) -> None:
    values = torch.arange(24.0).reshape(2, 3, 4)  # row, part, value
    batch = collate_representations(
        [
            {
                "emotion_representation": row[0],
                "source_representations": tuple(row[1 : 1 + sources]),
                "labels": torch.tensor([index, 1.0]),
            }
            for index, row in enumerate(values)
        ]
    )
    assert torch.equal(batch["emotion_representation"], values[:, 0])
    assert isinstance(batch["source_representations"], tuple) and len(batch["source_representations"]) == sources
    for part, source in enumerate(batch["source_representations"], start=1):
        assert torch.equal(source, values[:, part])
    assert batch["labels"].tolist() == [[0, 1], [1, 1]]


def test_representations_with_different_numbers_of_sources_are_refused() -> None:
    row = {"emotion_representation": torch.zeros(4), "labels": torch.tensor(1)}
    with pytest.raises(ValueError):
        collate_representations([row | {"source_representations": (torch.zeros(4),) * count} for count in (1, 2)])
