"""Saved models in a process of its own: as remote code and with the package, with the same numbers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoTokenizer,
    PreTrainedModel,
)

from modeling_csr import (
    CSRForSequenceClassification,
    MultitaskConfig,
    MultitaskForSequenceClassification,
    RecurrentEncoderConfig,
    RecurrentEncoderModel,
)
from tests.helpers.saved_models import (
    CSR_CODE,
    EMOTIONS,
    MULTITASK_CODE,
    RECURRENT_CODE,
    SIAMESE_CODE,
    TEXTS,
    logits,
    scores,
)
from tests.helpers.tiny_models import IMPORT_PACKAGE_OR_NOT, save

Factory = Callable[..., Any]

LOAD = (
    IMPORT_PACKAGE_OR_NOT
    + """
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline

trust = {} if package else {"trust_remote_code": True}
texts = json.loads((folder / "texts.json").read_text())
found = {}
for path in sorted(path for path in folder.iterdir() if path.is_dir()):
    batch = AutoTokenizer.from_pretrained(path, **trust)(texts, padding=True, return_tensors="pt")
    base, info = AutoModel.from_pretrained(path, output_loading_info=True, **trust)
    found[path.name] = {
        "base": type(base).__name__,
        "base_outputs": [value.tolist() for value in base(**batch).to_tuple() if hasattr(value, "tolist")],
        "info": [len(entries) for entries in info.values()],
    }
    if path.name.startswith("classifier"):
        model, info = AutoModelForSequenceClassification.from_pretrained(path, output_loading_info=True, **trust)
        classify = pipeline("text-classification", model=str(path), top_k=None, **trust)
        found[path.name] |= {
            "classifier": type(model).__name__,
            "logits": model(**batch).logits.tolist(),
            "info": found[path.name]["info"] + [len(entries) for entries in info.values()],
            "scores": [{entry["label"]: entry["score"] for entry in entries} for entries in classify(texts)],
        }
        base = model
    if not package:
        # A model that was loaded from a folder's own code takes this code along.
        again = path.parent / f"{path.name}-again"
        base.save_pretrained(again)
        found[path.name]["saved_again"] = sorted(file.name for file in again.iterdir())
        found[path.name]["saved_auto_map"] = json.loads((again / "config.json").read_text())["auto_map"]
print(json.dumps(found))
"""
)


@pytest.fixture
def folders(
    multitask: Factory, csr: Factory, siamese: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path
) -> tuple[Path, dict[str, PreTrainedModel]]:
    """Models in folders of their own, and the models. The pretrained encoders they started from are gone."""
    start = tmp_path / "start"
    names = EMOTIONS[:3]
    encoders = []
    for model_type, tasks in (("modernbert", ("emotion",)), ("roberta", ("sentiment",))):
        shutil.copytree(tiny_encoder(model_type), start / model_type)
        specification = {task: {"labels": names, "problem_type": "multi_label_classification"} for task in tasks}
        encoders.append(MultitaskForSequenceClassification.from_encoder(str(start / model_type), specification).eval())
    emotion, sentiment = (encoder.multitask for encoder in encoders)
    branches = [{"type": kind, "hidden_size": 3} for kind in ("cnn", "bilstm", "gru")]
    vocabulary = encoders[0].config.encoder.vocab_size
    recurrent = RecurrentEncoderModel(RecurrentEncoderConfig(vocab_size=vocabulary, branches=branches)).eval()
    models = {
        "classifier-multitask": encoders[0],
        "classifier-several": multitask("electra", tasks=("emotion", "sentiment"), main_task="sentiment"),
        "classifier-csr": CSRForSequenceClassification.from_encoders(
            emotion,
            [sentiment, multitask("distilbert").multitask],
            id2label=dict(enumerate(names)),
            label2id={name: index for index, name in enumerate(names)},
        ).eval(),
        "classifier-tokens": csr("electra", sources=("bert", "roberta"), common_level="token"),
        "classifier-recurrent": MultitaskForSequenceClassification(
            MultitaskConfig(
                encoder=recurrent.config, tasks={"emotion": encoders[0].config.tasks["emotion"]}, pooling="max"
            )
        ).eval(),
        "base-recurrent": recurrent,
        "base-multitask": multitask("mpnet", shared_layer_sizes=[8], representation="shared").multitask,
        "base-csr": csr("bert").csr,
        "base-siamese": siamese("bert"),
    }
    saved = tmp_path / "saved"
    for name, model in models.items():
        save(model, saved / name, tiny_encoder)
    (saved / "texts.json").write_text(json.dumps(TEXTS))
    shutil.rmtree(start)
    return saved, models


@pytest.mark.parametrize("how", ["remote code", "package"])
def test_a_fresh_process_gives_the_same_numbers(
    folders: tuple[Path, dict[str, PreTrainedModel]], fresh_python: Callable[..., str], how: str
) -> None:
    saved, models = folders
    # The last line: before it may come what the libraries print.
    printed = fresh_python(LOAD, how, saved, with_package=how == "package").splitlines()[-1]
    found = json.loads(printed)
    assert set(found) == set(models)
    for name, model in models.items():
        batch = AutoTokenizer.from_pretrained(saved / name)(TEXTS, padding=True, return_tensors="pt")
        classifier = name.startswith("classifier")
        base = model.base_model if classifier else model
        result = found[name]
        assert result["base"] == type(base).__name__
        assert not any(result["info"]), f"{name}: keys are missing or left over"
        with torch.no_grad():
            outputs = [value for value in base(**batch).to_tuple() if isinstance(value, torch.Tensor)]
        assert len(outputs) == len(result["base_outputs"])
        for value, expected in zip(result["base_outputs"], outputs, strict=True):
            torch.testing.assert_close(torch.tensor(value), expected)
        if classifier:
            assert result["classifier"] == type(model).__name__
            torch.testing.assert_close(torch.tensor(result["logits"]), logits(model, saved / name))
            for entries, expected in zip(result["scores"], scores(saved / name), strict=True):
                assert entries == pytest.approx(expected, abs=1e-6)
        if how == "remote code":
            own = json.loads((saved / name / "config.json").read_text())
            assert result["saved_auto_map"] == own["auto_map"]
            code = MULTITASK_CODE if name.endswith(("multitask", "several", "recurrent")) else CSR_CODE
            code = {"base-siamese": SIAMESE_CODE, "base-recurrent": RECURRENT_CODE}.get(name, code)
            assert set(result["saved_again"]) == code | {"config.json", "model.safetensors"}
