"""Cards of models that were trained outside of a recipe, about which little may be known."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedModel

from model_cards import CardDataset, StageCard
from modeling_csr import (
    CSRForSequenceClassification,
    DialogueForUtteranceClassification,
    MultitaskForSequenceClassification,
    MultitaskModel,
    SiameseModel,
)
from tests.helpers.card_parts import RUN_SNIPPETS, answers, metadata, saved, tables, write_snippets
from trainers.hub import notable_hyperparameters

LABELS = ["bad", "good"]
SINGLE, REGRESSION = "single_label_classification", "regression"
KINDS = ("multitask", "several", "regression", "csr", "siamese", "dialogue", "encoder")


def model(kind: str, encoder: Path) -> PreTrainedModel:
    problem_type = {"regression": REGRESSION, "dialogue": SINGLE}.get(kind, "multi_label_classification")
    tasks = {"main": {"labels": LABELS, "problem_type": problem_type}}
    if kind == "several":
        tasks["other"] = {"labels": ["new", "old", "lost"], "problem_type": SINGLE}
    classifier = MultitaskForSequenceClassification.from_encoder(str(encoder), tasks)
    labels = {"id2label": dict(enumerate(LABELS)), "label2id": {"bad": 0, "good": 1}}
    if kind == "csr":
        source = MultitaskForSequenceClassification.from_encoder(str(encoder), tasks).multitask
        return CSRForSequenceClassification.from_encoders(classifier.multitask, [source], **labels)
    if kind == "siamese":
        return SiameseModel.from_encoder(classifier.multitask)
    if kind == "dialogue":
        return DialogueForUtteranceClassification.from_encoder(classifier.multitask, dialogue_size=8, **labels)
    return classifier.multitask if kind == "encoder" else classifier


@pytest.fixture(scope="module")
def folder(tiny_encoder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model of each kind with a card that knows only what every Trainer knows."""
    folder = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        built = model(kind, tiny_encoder("bert"))
        built.save_pretrained(folder / kind)
        AutoTokenizer.from_pretrained(tiny_encoder("bert")).save_pretrained(folder / kind)
        known: dict[str, Any] = {"kind": kind} if kind in ("csr", "siamese", "dialogue") else {}
        if not isinstance(built, SiameseModel | MultitaskModel):
            known |= {"labels": LABELS, "problem_type": built.config.problem_type}
        if kind == "several":
            known["results"] = {"metrics": {"micro_f1": 0.5}, "tasks": {"other": {"metrics": {"accuracy": 0.25}}}}
        StageCard(title=kind, **known).save(folder / kind)
    return folder


def test_snippets_of_minimal_cards_run(folder: Path, tmp_path: Path, fresh_python: Callable[..., str]) -> None:
    files = [file for kind in KINDS for file in write_snippets(folder / kind / "README.md", tmp_path)]
    printed = answers(files, fresh_python(RUN_SNIPPETS, folder, *files))
    for kind in ("multitask", "several", "csr"):
        assert {entry["label"] for entry in ast.literal_eval(printed[f"{kind} 0"])} <= set(LABELS)
        assert "torch.Size([1, " in printed[f"{kind} 1"] and "'train_loss'" in printed[f"{kind} 2"]
    assert [entry["label"] for entry in ast.literal_eval(printed["regression 0"])] in (LABELS, LABELS[::-1])
    for line in printed["dialogue 0"].splitlines():
        assert sum(ast.literal_eval(line).values()) == pytest.approx(1, abs=1e-5)
    assert float(printed["siamese 0"].removeprefix("tensor(").split(",")[0]) > 0
    assert printed["encoder 0"].startswith("tensor([[")
    assert 'main_task="other"' in (folder / "several" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_minimal_cards_claim_nothing_that_is_not_known(folder: Path, kind: str) -> None:
    data, text = metadata(folder / kind), (folder / kind / "README.md").read_text(encoding="utf-8")
    assert not data.keys() & {"language", "base_model", "datasets", "model-index", "widget"}
    assert data["pipeline_tag"] == ("feature-extraction" if kind in ("siamese", "encoder") else "text-classification")
    assert "The training data are not documented." in text and "data below" not in text and "English" not in text
    unknown = ("Stage `", "on the encoder", "## Training\n", "## Versions", "checkpoint", "sentiment encoder")
    assert not [claim for claim in unknown if claim in text]
    assert ("Not evaluated." in text) == (kind != "several")
    assert len(tables(text)) == (1 if kind == "several" else 0)


def test_a_title_is_enough() -> None:
    assert "# org/model" in StageCard(title="org/model").render().text
    # There are no scores to take a spread over.
    assert StageCard(title="org/model", other_seeds=[{"jaccard": 0.5}]).spread("jaccard") is None


def test_what_is_known_is_shown(tmp_path: Path) -> None:
    known = StageCard(
        title="org/model",
        labels=LABELS,
        results={"metrics": {"micro_f1": 0.5}},
        datasets=[CardDataset("posts", None, "mit", "", {"train": 8})],
        hyperparameters={"seed": 1},
        versions={"torch": "2.6"},
        encoder="org/encoder",
        language="de",
        figures={"training_curves.png": "Losses"},
    )
    text = saved(known, tmp_path).text
    assert "Built on the encoder org/encoder." in text and "fine-tuned on the data below" in text
    assert "- seed: 1" in text and "torch 2.6" in text and "![Losses](training_curves.png)" in text
    assert tables(text)[1] == [["dataset", "texts", "licence"], ["posts", "8 train", "mit"]]
    # Only English posts are known to be what our own runs are trained on.
    assert metadata(tmp_path)["language"] == "de" and "English" not in text


def test_hyperparameters_are_those_that_are_not_the_defaults_of_transformers() -> None:
    stock = {"adam_beta1": 0.9, "lr_scheduler_type": "linear", "lr_scheduler_kwargs": None}
    # Our own default of the weight decay is another one; the seed is said even where it is the default.
    said = {"weight_decay": 0.01, "max_grad_norm": 0.5, "seed": 42, "learning_rate": 5e-5, "common_dropout": 0.1}
    assert notable_hyperparameters(stock | said | {"weight_averaging": 0.0}) == said
