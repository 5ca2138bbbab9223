"""Trained models used again for other labels, as all models of transformers are."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel, pipeline

from modeling_csr import MultitaskForSequenceClassification
from tests.helpers.tiny_models import EMPTY, save

SINGLE, MULTI = "single_label_classification", "multi_label_classification"
FAMILIES = ("csr", "tokens", "multitask", "dialogue")
HEADS = {"multitask": "heads.emotion", "tokens": "classifier.output"}
TEXT = "I am so happy today!"
Built = Callable[[str], PreTrainedModel]


@pytest.fixture
def build(csr: Callable, multitask: Callable, dialogue: Callable) -> Built:
    """A classifier of each family with options that belong to its labels."""

    def make(family: str) -> PreTrainedModel:
        slopes = [[0.5, 0.1], [1.0, 0.2], [1.5, 0.3], [2.0, 0.4]]
        four = {"thresholds": [0.1, 0.2, 0.3, 0.4], "calibration": slopes, "class_weights": [1.0, 2.0, 3.0, 4.0]}
        if family == "multitask":
            model = multitask()
            model.config.tasks["emotion"] |= four
            return model
        if family == "dialogue":
            three = {name: values[:3] for name, values in four.items()}
            return dialogue(problem_type=MULTI, **three)
        return csr(**four, common_level="token" if family == "tokens" else "text")

    return make


def options(model: PreTrainedModel) -> tuple[Any, Any, Any]:
    config = model.config
    if config.model_type != "csr-multitask":
        return config.thresholds, config.calibration, config.class_weights
    (task,) = config.tasks.values()
    return task.get("thresholds"), task.get("calibration"), task.get("class_weights")


def pipeline_labels(folder: Path) -> set[str]:
    classifier = pipeline("emotion-classification", model=str(folder))
    classifier(TEXT)  # at the model's thresholds, which have to fit
    return {entry["label"] for entry in classifier(TEXT, top_k=None)}


def reload(model: PreTrainedModel, folder: Path, tiny_encoder: Any) -> PreTrainedModel:
    save(model, folder, tiny_encoder)
    loaded, info = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert info == EMPTY
    return loaded


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"num_labels": 2}, ["LABEL_0", "LABEL_1"]),
        ({"id2label": {0: "calm", 1: "cross"}, "label2id": {"calm": 0, "cross": 1}}, ["calm", "cross"]),
        ({"id2label": {"1": "cross", "0": "calm"}}, ["calm", "cross"]),
        ({"label2id": {"cross": 1, "calm": 0}, "num_labels": 2}, ["calm", "cross"]),
    ],
    ids=["num_labels", "both", "id2label", "label2id"],
)
def test_another_number_of_labels_gives_a_new_head(
    build: Built, tiny_encoder: Any, tmp_path: Path, family: str, asked: dict[str, Any], names: list[str]
) -> None:
    trained = build(family)
    first = save(trained, tmp_path / "first", tiny_encoder)
    model, info = AutoModelForSequenceClassification.from_pretrained(
        first, **asked, ignore_mismatched_sizes=True, output_loading_info=True
    )
    head = HEADS.get(family, "classifier")
    assert {name for name, *_ in info["mismatched_keys"]} >= {f"{head}.weight", f"{head}.bias"}
    assert model.config.num_labels == 2 and model.config.label_names == names
    assert model.config.label2id == {name: index for index, name in enumerate(names)}
    assert options(model) == (None, None, None)
    tokens = AutoTokenizer.from_pretrained(first)(TEXT, return_tensors="pt")
    assert model(**tokens).logits.shape == (1, 2)
    for name, value in model.base_model.state_dict().items():
        assert torch.equal(value, trained.base_model.state_dict()[name])
    again = reload(model, tmp_path / "second", tiny_encoder)
    assert torch.equal(again(**tokens).logits, model(**tokens).logits)
    assert again.config.label_names == names
    assert pipeline_labels(tmp_path / "second") == set(names)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("how", ["from_pretrained", "assigned"])
def test_new_names_keep_the_head_and_its_thresholds(
    build: Built, tiny_encoder: Any, tmp_path: Path, family: str, how: str
) -> None:
    trained = build(family)
    names = ["zeal", "calm", "xenia", "awe"][: trained.config.num_labels]
    first = save(trained, tmp_path / "first", tiny_encoder)
    id2label = dict(enumerate(names))
    if how == "assigned":
        model = AutoModelForSequenceClassification.from_pretrained(first)
        model.config.id2label = id2label
    else:
        model = AutoModelForSequenceClassification.from_pretrained(first, id2label=id2label)
    again = reload(model, tmp_path / "second", tiny_encoder)
    assert again.config.label_names == names
    assert again.config.label2id == {name: index for index, name in enumerate(names)}
    assert options(again) == options(trained) != (None, None, None)
    for name, value in again.state_dict().items():
        assert torch.equal(value, trained.state_dict()[name])
    assert pipeline_labels(tmp_path / "second") == set(names)


@pytest.mark.parametrize("family", FAMILIES)
def test_another_problem_type_counts(build: Built, tiny_encoder: Any, tmp_path: Path, family: str) -> None:
    trained = build(family)
    first = save(trained, tmp_path / "first", tiny_encoder)
    model = AutoModelForSequenceClassification.from_pretrained(first, problem_type=SINGLE)
    assert options(model) == (None, None, None)
    tokens = AutoTokenizer.from_pretrained(first)(TEXT, return_tensors="pt")
    output = model(**tokens, labels=torch.tensor([1]))
    assert torch.isfinite(output.loss)
    again = reload(model, tmp_path / "second", tiny_encoder)
    assert again.config.problem_type == SINGLE
    found = pipeline("emotion-classification", model=str(tmp_path / "second"))(TEXT, top_k=None)
    assert sum(entry["score"] for entry in found) == pytest.approx(1)


@pytest.mark.parametrize("family", FAMILIES)
def test_thresholds_of_the_new_labels_may_come_along(
    build: Built, tiny_encoder: Any, tmp_path: Path, family: str
) -> None:
    first = save(build(family), tmp_path / "first", tiny_encoder)
    model = AutoModelForSequenceClassification.from_pretrained(
        first, num_labels=2, thresholds=[0.6, 0.7], ignore_mismatched_sizes=True
    )
    assert model.config.thresholds == [0.6, 0.7]
    with pytest.raises(ValueError, match="2 labels but 1 thresholds"):
        AutoConfig.from_pretrained(first, num_labels=2, thresholds=[0.6])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_labels_change_nothing(build: Built, tmp_path: Path, family: str) -> None:
    trained = build(family)
    trained.save_pretrained(tmp_path)
    config, labels = trained.config, trained.config.id2label
    for asked in ({"num_labels": len(labels)}, {"id2label": labels}, {"problem_type": config.problem_type}):
        found = AutoConfig.from_pretrained(tmp_path, **asked)
        assert found.to_dict() == AutoConfig.from_pretrained(tmp_path).to_dict()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"num_labels": 3, "id2label": {0: "calm", 1: "cross"}},
            "num_labels is 3, but there are 2 labels: calm, cross",
        ),
        ({"id2label": {0: "calm", 1: "cross"}, "label2id": {"cross": 0, "calm": 1}}, "contradict each other"),
        ({"id2label": {1: "calm", 2: "cross"}}, "id2label must number its 2 labels from 0 on"),
        ({"num_labels": 0}, "num_labels must be at least 1, got 0"),
        ({"problem_type": "ranking"}, "problem_type must be one of"),
        ({"num_labels": 1, "problem_type": SINGLE}, "at least two labels"),
    ],
)
def test_requests_that_cannot_be_met(
    build: Built, tmp_path: Path, family: str, asked: dict[str, Any], message: str
) -> None:
    build(family).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=message):
        AutoModelForSequenceClassification.from_pretrained(tmp_path, **asked, ignore_mismatched_sizes=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_config_whose_number_of_labels_was_assigned_is_an_error(build: Built, tmp_path: Path, family: str) -> None:
    build(family).save_pretrained(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    config.num_labels = 2
    with pytest.raises(ValueError, match=r"config\.relabel"):
        AutoModelForSequenceClassification.from_pretrained(tmp_path, config=config, ignore_mismatched_sizes=True)
    config = AutoConfig.from_pretrained(tmp_path).relabel(num_labels=2)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path, config=config, ignore_mismatched_sizes=True)
    assert model.config.num_labels == 2


def test_several_tasks_need_all_of_them(multitask: Callable, tmp_path: Path, tiny_encoder: Any) -> None:
    trained = multitask(tasks=("emotion", "sentiment"), shared_layer_sizes=[8])
    first = save(trained, tmp_path / "first", tiny_encoder)
    with pytest.raises(ValueError, match="do not say which of them they are for") as refused:
        AutoModelForSequenceClassification.from_pretrained(first, id2label={0: "calm", 1: "cross"})
    # The error holds the call that works.
    call = str(refused.value).partition("Pass all tasks instead: ")[2].rstrip(".")
    model = eval(call, {"MultitaskForSequenceClassification": MultitaskForSequenceClassification})
    assert model.config.label_names == ["calm", "cross"]
    assert model.config.tasks["sentiment"] == trained.config.tasks["sentiment"]
    assert torch.equal(model.heads["sentiment"].weight, trained.heads["sentiment"].weight)
    assert torch.equal(model.multitask.shared_layers[0].weight, trained.multitask.shared_layers[0].weight)
    assert reload(model, tmp_path / "second", tiny_encoder).config.label_names == ["calm", "cross"]
    assert pipeline_labels(tmp_path / "second") == {"calm", "cross"}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(2))
def test_columns_keep_their_labels_in_any_order(
    build: Built, tiny_encoder: Any, tmp_path: Path, family: str, seed: int
) -> None:
    """More than ten labels, some of them numbers: JSON sorts those as text."""
    shuffled = random.Random(seed)
    names = [*map(str, range(12)), "joy", "Anger"]
    shuffled.shuffle(names)
    numbered = list(enumerate(names))
    shuffled.shuffle(numbered)
    first = save(build(family), tmp_path / "first", tiny_encoder)
    model = AutoModelForSequenceClassification.from_pretrained(
        first, id2label=dict(numbered), ignore_mismatched_sizes=True
    )
    again = reload(model, tmp_path / "second", tiny_encoder)
    assert list(again.config.id2label.items()) == list(enumerate(names))
    assert list(again.config.label2id) == names, "whoever lists the labels gets the order of the columns"
    tokens = AutoTokenizer.from_pretrained(first)(TEXT, return_tensors="pt")
    expected = dict(zip(names, model(**tokens).logits[0].sigmoid().tolist(), strict=True))
    for task in ("emotion-classification", "text-classification"):
        found = pipeline(task, model=str(tmp_path / "second"))(TEXT, top_k=None)
        assert {entry["label"]: entry["score"] for entry in found} == pytest.approx(expected, abs=1e-6)
