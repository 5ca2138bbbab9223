"""What is saved is complete in itself: the files and the names in a folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    pipeline,
)

from modeling_csr import (
    CSRForSequenceClassification,
    SiameseModel,
)
from tests.helpers.saved_models import (
    CSR_CODE,
    CSR_MAP,
    MULTITASK_CODE,
    MULTITASK_MAP,
    SIAMESE_CODE,
    SIAMESE_MAP,
)
from tests.helpers.tiny_models import save

Factory = Callable[..., Any]


def test_folders_name_every_class_and_hold_its_code(
    multitask: Factory, csr: Factory, siamese: Factory, tmp_path: Path
) -> None:
    cases = [
        (multitask(), MULTITASK_MAP, MULTITASK_CODE),
        (multitask().multitask, MULTITASK_MAP, MULTITASK_CODE),
        (csr(), CSR_MAP, CSR_CODE),
        (csr().csr, CSR_MAP, CSR_CODE),
        (siamese(), SIAMESE_MAP, SIAMESE_CODE),
    ]
    for number, (model, auto_map, code) in enumerate(cases):
        folder = tmp_path / str(number)
        # Twice, as a Trainer does: what the first one leaves in the config must not change the second.
        model.save_pretrained(tmp_path / "checkpoint")
        model.save_pretrained(folder)
        config = json.loads((folder / "config.json").read_text())
        assert config["auto_map"] == auto_map
        assert config["architectures"] == [type(model).__name__]
        assert {file.name for file in folder.iterdir()} == code | {"config.json", "model.safetensors"}


def test_one_config_can_be_saved_with_one_model_after_the_other(csr: Factory, tmp_path: Path) -> None:
    model = csr()
    siamese = SiameseModel(model.config)
    for saved, expected in ((siamese, SIAMESE_MAP), (model, CSR_MAP), (siamese, SIAMESE_MAP)):
        saved.save_pretrained(tmp_path)
        assert json.loads((tmp_path / "config.json").read_text())["auto_map"] == expected


def test_a_siamese_stage_is_no_classifier(
    siamese: Factory, tmp_path: Path, tiny_encoder: Callable[[str], Path]
) -> None:
    folder = save(siamese(), tmp_path, tiny_encoder)
    saved = json.loads((folder / "config.json").read_text())
    assert "AutoModelForSequenceClassification" not in saved["auto_map"] and "custom_pipelines" not in saved
    with pytest.raises(ValueError, match="holds a Siamese network without a classifier"):
        AutoModelForSequenceClassification.from_pretrained(folder)
    with pytest.raises(ValueError, match="holds a Siamese network without a classifier"):
        pipeline("text-classification", model=str(folder))


def test_no_path_of_the_machine_is_written(
    multitask: Factory,
    siamese: Factory,
    tiny_encoder: Callable[[str], Path],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Each stage starts from the folders of the stages before it."""
    first = save(multitask(), tmp_path / "emotion", tiny_encoder)
    second = save(multitask("roberta", tasks=("sentiment",)), tmp_path / "sentiment", tiny_encoder)
    encoders = [AutoModel.from_pretrained(folder) for folder in (first, second)]
    third = save(SiameseModel.from_encoder(encoders[0]), tmp_path / "siamese", tiny_encoder)
    model = CSRForSequenceClassification.from_encoders(encoders[0], [encoders[1]], SiameseModel.from_pretrained(third))
    fourth = save(model, tmp_path / "csr", tiny_encoder)
    reloaded = AutoModelForSequenceClassification.from_pretrained(fourth)
    fifth = save(reloaded, tmp_path / "again", tiny_encoder)
    own_parts = [str(tmp_path_factory.getbasetemp()), str(Path(__file__).parents[2]), str(Path.home())]
    for folder in (first, second, third, fourth, fifth):
        files = [*folder.glob("*.json"), *folder.glob("*.safetensors")]
        assert len(files) >= 4
        for file in files:
            found = [part for part in own_parts if part.encode() in file.read_bytes()]
            assert not found, f"{file.parent.name}/{file.name} contains {found[0]}"
