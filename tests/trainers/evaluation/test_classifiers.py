"""No scores of weights that were not loaded: what is no trained classifier is refused wherever one is asked for."""

from pathlib import Path

import pytest
from transformers import AutoModel, AutoTokenizer

from modeling_csr import MultitaskForSequenceClassification, SiameseModel
from tests.helpers import tiny_run
from trainers.commands import run_distillation, run_evaluation
from trainers.evaluation import load_classifier

TASKS = {"emotion": {"labels": list(tiny_run.EMOTIONS), "problem_type": "multi_label_classification"}}
NO_CLASSIFIER = r"(\w+, not a trained classifier: \d+ weights are missing|a Siamese network without a classifier)"
FOLDERS = ("encoder", "siamese", "half")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole classifier in `model`, and folders without one: an encoder, a Siamese stage, and one without its head."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    model = MultitaskForSequenceClassification.from_encoder(str(place / "encoder"), TASKS)
    model.save_pretrained(place / "model")
    names = {"id2label": dict(enumerate(tiny_run.EMOTIONS)), "problem_type": "multi_label_classification"}
    names["label2id"] = {name: index for index, name in enumerate(tiny_run.EMOTIONS)}
    SiameseModel.from_encoder(AutoModel.from_pretrained(place / "model"), **names).save_pretrained(place / "siamese")
    weights = {name: value for name, value in model.state_dict().items() if name.startswith("multitask.")}
    model.save_pretrained(place / "half", state_dict=weights)
    for folder in ("model", *FOLDERS):
        AutoTokenizer.from_pretrained(place / "encoder").save_pretrained(place / folder)
    return place


def test_whole_classifier_is_loaded(place: Path) -> None:
    assert isinstance(load_classifier(place / "model"), MultitaskForSequenceClassification)


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_without_a_classifier_is_refused(place: Path, folder: str) -> None:
    with pytest.raises(ValueError, match=rf"{folder} holds {NO_CLASSIFIER}"):
        load_classifier(place / folder)


@pytest.mark.parametrize("folder", FOLDERS[1:])
def test_commands_name_the_folder(place: Path, tmp_path: Path, folder: str) -> None:
    data = ["--dataset", str(place / "data" / "posts"), "--label_columns", *tiny_run.EMOTIONS]
    told = rf"{folder} holds {NO_CLASSIFIER}"
    with pytest.raises(SystemExit, match=told):
        run_evaluation([str(place / folder), *data])
    with pytest.raises(SystemExit, match=told):
        run_distillation(["--teacher", str(place / folder), *data, "--output_dir", str(tmp_path / "student")])
    assert not (tmp_path / "student").exists()
