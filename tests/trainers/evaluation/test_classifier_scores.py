import dataclasses
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from transformers import AutoConfig, DataCollatorWithPadding

from modeling_csr import CSRForSequenceClassification
from trainers.evaluation.classifier_scores import evaluate_classifier
from trainers.loop.representations import RepresentationDataset
from trainers.trainer import StageTrainer

KINDS = ("one-task", "two-tasks", "csr")


def logits_and_labels(tiny: ModuleType, trainer: StageTrainer) -> tuple[np.ndarray, np.ndarray]:
    """Of the rows that have emotion labels, each row by itself."""
    logits, labels = [], []
    for row in trainer.eval_dataset:
        batch = trainer.data_collator([row])
        gold = batch.pop("labels")
        gold = gold["emotion"] if isinstance(gold, dict) else gold
        if not gold.isnan().any():
            with torch.no_grad():
                logits.append(trainer.model.eval()(**batch).logits[0].numpy())
            labels.append(gold[0].numpy())
    return np.array(logits), np.array(labels)


def mix_decisions(tiny: ModuleType, trainer: StageTrainer) -> None:
    """Give each label to half of the texts: an untrained classifier may treat them all alike."""
    logits, _ = logits_and_labels(tiny, trainer)
    with torch.no_grad():
        trainer.model.classifier.bias -= tiny.middle(logits)


def jaccard(decisions: np.ndarray, labels: np.ndarray) -> float:
    decisions, labels = decisions.astype(bool), labels.astype(bool)
    union = (decisions | labels).sum(axis=1)
    return float(np.where(union == 0, 1, (decisions & labels).sum(axis=1) / np.maximum(union, 1)).mean())


def decided(logits: np.ndarray, thresholds: list[float]) -> np.ndarray:
    return 1 / (1 + np.exp(-logits.astype(np.float64))) >= np.array(thresholds)


@pytest.mark.parametrize("kind", KINDS)
def test_fixed_thresholds_are_one_half(tiny: ModuleType, kind: str, tmp_path: Path) -> None:
    trainer = tiny.trainer(kind, tmp_path, per_device_eval_batch_size=4)
    logits, labels = logits_and_labels(tiny, trainer)
    assert len(labels) == (14 if kind == "two-tasks" else 21)
    results, returned = evaluate_classifier(trainer, "emotion", tiny.EMOTION, "fixed")
    # In the order of the rows, and only of those that have emotion labels.
    np.testing.assert_allclose(returned["emotion"], logits, atol=1e-5)
    assert results["metrics"]["jaccard"] == pytest.approx(jaccard(logits > 0, labels))
    assert "thresholds" not in results and "metrics_at_0.5" not in results
    assert trainer.model.config.thresholds is None
    assert list(results["per_label"]) == tiny.EMOTION["labels"]
    supports = [scores["support"] for scores in results["per_label"].values()]
    assert supports == labels.sum(axis=0).tolist() and sum(supports) > 0


@pytest.mark.parametrize("mode", ["global", "per_label"])
@pytest.mark.parametrize("kind", KINDS)
def test_tuned_thresholds_go_into_the_config(tiny: ModuleType, kind: str, mode: str, tmp_path: Path) -> None:
    trainer = tiny.trainer(kind, tmp_path)
    logits, labels = logits_and_labels(tiny, trainer)
    results, _ = evaluate_classifier(trainer, "emotion", tiny.EMOTION, mode)
    thresholds = list(results["thresholds"].values())
    assert list(results["thresholds"]) == tiny.EMOTION["labels"]
    assert thresholds != [0.5] * 3
    assert (len(set(thresholds)) == 1) == (mode == "global")
    assert results["metrics"]["jaccard"] == pytest.approx(jaccard(decided(logits, thresholds), labels))
    assert results["metrics_at_0.5"]["jaccard"] == pytest.approx(jaccard(logits > 0, labels))
    tuned_for = "jaccard" if mode == "global" else "macro_f1"
    assert results["metrics"][tuned_for] > results["metrics_at_0.5"][tuned_for]
    f1 = [scores["f1"] for scores in results["per_label"].values()]
    assert results["metrics"]["macro_f1"] == pytest.approx(np.mean(f1))

    assert trainer.model.config.thresholds == thresholds
    trainer.save_model(str(tmp_path / "final"))
    config = AutoConfig.from_pretrained(tmp_path / "final")
    assert config.thresholds == thresholds
    if kind == "two-tasks":
        assert config.tasks["sentiment"].get("thresholds") is None


@pytest.mark.parametrize("threshold", ["fixed", "per_label"])
def test_single_label_tasks_have_no_thresholds(tiny: ModuleType, threshold: str, tmp_path: Path) -> None:
    trainer = tiny.trainer("two-tasks", tmp_path)
    rows = [row for row in trainer.eval_dataset if "labels_sentiment" in row]
    with torch.no_grad():
        batch = trainer.data_collator(rows)
        gold = batch.pop("labels")["sentiment"]
        predicted = trainer.model.eval()(**batch).task_logits["sentiment"].argmax(dim=1)
    results, _ = evaluate_classifier(trainer, "sentiment", tiny.SENTIMENT, threshold)
    assert results["metrics"]["accuracy"] == pytest.approx((predicted == gold).float().mean().item())
    assert [scores["support"] for scores in results["per_label"].values()] == torch.bincount(gold, minlength=3).tolist()
    assert not results.keys() & {"thresholds", "metrics_at_0.5", "shuffled"}
    assert all(task.get("thresholds") is None for task in trainer.model.config.tasks.values())


# -- the shuffled halves -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["one-task", "two-tasks"])
def test_encoders_have_nothing_to_shuffle(tiny: ModuleType, kind: str, tmp_path: Path) -> None:
    results, _ = evaluate_classifier(tiny.trainer(kind, tmp_path), "emotion", tiny.EMOTION, "fixed")
    assert "shuffled" not in results


@pytest.mark.parametrize("threshold", ["fixed", "per_label"])
def test_common_space_is_scored_with_each_half_shuffled(tiny: ModuleType, threshold: str, tmp_path: Path) -> None:
    trainer = tiny.trainer("csr", tmp_path, seed=5)
    mix_decisions(tiny, trainer)
    dataset = trainer.eval_dataset
    results, _ = evaluate_classifier(trainer, "emotion", tiny.EMOTION, threshold)
    assert results["shuffled"].keys() == {"emotion", "sources"}
    thresholds = list(results.get("thresholds", {"all": 0.5}).values())
    for part, scores in results["shuffled"].items():
        assert scores.keys() == results["metrics"].keys()
        trainer.eval_dataset = dataset.shuffled(part, 5)
        logits, labels = logits_and_labels(tiny, trainer)
        assert scores["jaccard"] == pytest.approx(jaccard(decided(logits, thresholds), labels))
        assert scores != results["metrics"]


@pytest.mark.parametrize(("ignored", "used"), [("sources", "emotion"), ("emotion", "sources")])
def test_half_that_the_common_space_ignores_costs_nothing(
    tiny: ModuleType, ignored: str, used: str, tmp_path: Path
) -> None:
    trainer = tiny.trainer("csr", tmp_path)
    with torch.no_grad():
        # [P_S; P_E]
        columns = slice(None, tiny.HIDDEN_SIZE) if ignored == "sources" else slice(tiny.HIDDEN_SIZE, None)
        trainer.model.csr.common_encoder[0].weight[:, columns] = 0
    mix_decisions(tiny, trainer)
    results, _ = evaluate_classifier(trainer, "emotion", tiny.EMOTION, "fixed")
    assert results["shuffled"][ignored] == pytest.approx(results["metrics"])
    assert results["shuffled"][used] != pytest.approx(results["metrics"])


def test_single_label_common_space(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = tiny.trainer("csr", tmp_path)
    task = {"labels": tiny.EMOTION["labels"], "problem_type": "single_label_classification"}
    model: CSRForSequenceClassification = trainer.model
    model.config.problem_type = task["problem_type"]
    given = trainer.eval_dataset
    classes = np.random.default_rng(0).integers(3, size=len(given))
    trainer.eval_dataset = RepresentationDataset(given.emotion, given.sources, classes)
    trainer.compute_metrics = None
    results, _ = evaluate_classifier(trainer, "emotion", task, "global")
    with torch.no_grad():
        sources = tuple(torch.from_numpy(np.array(source)) for source in given.sources)
        logits = model.eval()(emotion_representation=torch.from_numpy(given.emotion), source_representations=sources)
    predicted = logits.logits.argmax(dim=1).numpy()
    assert results["metrics"]["accuracy"] == pytest.approx((predicted == classes).mean())
    assert results["shuffled"].keys() == {"emotion", "sources"} and "thresholds" not in results
    assert model.config.thresholds is None


def test_common_space_on_tokens_is_scored_with_each_half_shuffled(tiny: ModuleType, tmp_path: Path) -> None:
    """In batches: a half comes from another text of the same batch, and so from the text itself where it is alone."""
    results = {}
    for size in (1, 21):
        trainer = tiny.trainer("csr-tokens", tmp_path, per_device_eval_batch_size=size)
        trainer.data_collator = DataCollatorWithPadding(tiny.tokenizer())
        tiny_logits = trainer.predict(trainer.eval_dataset).predictions
        with torch.no_grad():
            # Each label is given to half of the texts.
            trainer.model.classifier.bias -= tiny.middle(tiny_logits)
        results[size], _ = evaluate_classifier(trainer, "emotion", tiny.EMOTION, "fixed")
    assert results[1]["metrics"] == pytest.approx(results[21]["metrics"])
    for part in ("emotion", "sources"):
        assert results[1]["shuffled"][part] == pytest.approx(results[1]["metrics"])
        assert results[21]["shuffled"][part] != pytest.approx(results[21]["metrics"])


def test_evaluation_leaves_the_model_as_it_is(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = tiny.trainer("csr", tmp_path)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    emotion = np.array(trainer.eval_dataset.emotion)
    first, first_logits = evaluate_classifier(trainer, "emotion", tiny.EMOTION, "per_label")
    again, logits = evaluate_classifier(trainer, "emotion", tiny.EMOTION, "per_label")
    assert again == first and np.array_equal(logits["emotion"], first_logits["emotion"])
    assert all(torch.equal(value, before[name]) for name, value in trainer.model.state_dict().items())
    assert np.array_equal(trainer.eval_dataset.emotion, emotion)
    assert dataclasses.asdict(trainer.args) == dataclasses.asdict(tiny.arguments(tmp_path))
