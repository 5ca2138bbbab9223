"""The emotion pipeline as it is saved: with the package and without it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, pipeline

from tests.helpers.emotion_pipelines import LONG, TEXTS, close, emotions
from tests.helpers.tiny_models import IMPORT_PACKAGE_OR_NOT

Factory = Callable[..., Any]


# --- what is saved


def test_only_classifiers_name_the_pipeline(multitask: Factory, csr: Factory, siamese: Factory, tmp_path: Path) -> None:
    entry = {
        "impl": "pipeline_emotion.EmotionClassificationPipeline",
        "pt": ["AutoModelForSequenceClassification"],
        "type": "text",
    }
    for model, named in (
        (multitask(), True),
        (csr(), True),
        (multitask().multitask, False),
        (csr().csr, False),
        (siamese(), False),
    ):
        before = model.config.to_dict()
        model.save_pretrained(tmp_path)
        text = (tmp_path / "config.json").read_text()
        assert json.loads(text).get("custom_pipelines") == ({"emotion-classification": entry} if named else None)
        assert text.count("custom_pipelines") == named  # the configs of the encoders have none
        added = set(model.config.to_dict()) - set(before)
        assert added <= {"auto_map"}  # nothing else stays in a config that other models may share


def test_a_base_model_of_a_classifiers_folder_names_none(csr: Factory, tmp_path: Path) -> None:
    csr().save_pretrained(tmp_path / "classifier")
    AutoModel.from_pretrained(tmp_path / "classifier").save_pretrained(tmp_path / "base")
    assert "custom_pipelines" not in (tmp_path / "base" / "config.json").read_text()


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_configs_go_round_in_a_circle(request: pytest.FixtureRequest, tmp_path: Path, family: str) -> None:
    request.getfixturevalue(family)().save_pretrained(tmp_path / "new")
    # Loading writes the precision into the configs of the encoders, where a new model has none: the circle begins then.
    for before, after in (("new", "first"), ("first", "second")):
        loaded, info = AutoModelForSequenceClassification.from_pretrained(tmp_path / before, output_loading_info=True)
        assert not any(info.values())
        loaded.save_pretrained(tmp_path / after)
    new, first, second = (
        json.loads((tmp_path / name / "config.json").read_text()) for name in ("new", "first", "second")
    )
    assert first == second
    assert first["custom_pipelines"] == new["custom_pipelines"]
    assert AutoConfig.from_pretrained(tmp_path / "first").custom_pipelines == {}


def test_pipelines_can_be_saved(csr: Factory, stock: Factory, tokenizer: Any, tmp_path: Path) -> None:
    for name, model in (("csr", csr(thresholds=[0.1, 0.9, 0.5, 0.5])), ("stock", stock())):
        classifier = emotions(model, tokenizer)
        classifier.save_pretrained(tmp_path / name)
        named = json.loads((tmp_path / name / "config.json").read_text())["custom_pipelines"]["emotion-classification"]
        assert named["impl"] == "pipeline_emotion.EmotionClassificationPipeline"
        assert {"pipeline_emotion.py", "handler.py"} <= {path.name for path in (tmp_path / name).iterdir()}
        again = pipeline(
            "emotion-classification", model=str(tmp_path / name), trust_remote_code=True if name == "stock" else None
        )
        assert again(TEXTS) == classifier(TEXTS)


# --- in a process of its own

CLASSIFY = (
    IMPORT_PACKAGE_OR_NOT
    + """
from transformers import AutoModel, pipeline

trust = {} if package else {"trust_remote_code": True}
texts = json.loads((folder / "texts.json").read_text())
found = {}
for path in sorted(path for path in folder.iterdir() if path.is_dir()):
    classifier = pipeline("emotion-classification", model=str(path), device="cpu", **trust)
    found[path.name] = {
        "class": type(classifier).__module__.split(".")[0],
        "model": type(classifier.model).__module__.split(".")[0],
        "default": classifier(texts),
        "all": classifier(texts, top_k=None, batch_size=4),
        "embeddings": [result["embedding"] for result in classifier(texts, return_embeddings=True)],
        "text-classification": pipeline("text-classification", model=str(path), top_k=None, **trust)(texts[:-1]),
    }
    if not package:
        assert pipeline(model=str(path), **trust)(texts) == found[path.name]["default"]
        again = path.parent / f"{path.name}-again"
        classifier.save_pretrained(again)
        config, own = (json.loads((folder / "config.json").read_text()) for folder in (again, path))
        assert config["custom_pipelines"] == own["custom_pipelines"] and config["auto_map"] == own["auto_map"]
        assert {file.name for file in again.glob("*.py")} == {file.name for file in path.glob("*.py")}
        assert pipeline("emotion-classification", model=str(again), **trust)(texts) == found[path.name]["default"]
        AutoModel.from_pretrained(path, **trust).save_pretrained(again)
        assert "custom_pipelines" not in (again / "config.json").read_text()
print(json.dumps(found))
"""
)


@pytest.mark.parametrize("how", ["remote code", "package"])
def test_a_fresh_process_gives_the_same_numbers(
    multitask: Factory, csr: Factory, tokenizer: Any, tmp_path: Path, fresh_python: Callable[..., str], how: str
) -> None:
    models = {
        "csr": csr(thresholds=[0.3, 0.4, 0.5, 0.6]),
        "several": multitask("roberta", tasks=("emotion", "sentiment"), main_task="sentiment"),
        "tokens": csr("electra", sources=("bert", "mpnet"), common_level="token"),
    }
    texts = [*TEXTS, LONG]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    for name, model in models.items():
        model.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
    # The last line: before it may come what the libraries print.
    found = json.loads(fresh_python(CLASSIFY, how, tmp_path, with_package=how == "package").splitlines()[-1])
    assert set(found) == set(models)
    for name, model in models.items():
        result, classifier = found[name], emotions(model, tokenizer)
        expected = "modeling_csr" if how == "package" else "transformers_modules"
        assert result["class"] == result["model"] == expected
        close(result["default"], classifier(texts))
        close(result["all"], classifier(texts, top_k=None))
        close(result["text-classification"], classifier(TEXTS, top_k=None))
        vectors = [output["embedding"] for output in classifier(texts, return_embeddings=True)]
        torch.testing.assert_close(torch.tensor(result["embeddings"]), torch.tensor(vectors))


def test_remote_code_is_not_run_unasked(
    csr: Factory, tokenizer: Any, tmp_path: Path, fresh_python: Callable[..., str]
) -> None:
    csr().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    code = """
import sys
from transformers import pipeline
try:
    pipeline("emotion-classification", model=sys.argv[1], trust_remote_code=False)
except ValueError as error:
    print("trust_remote_code=True" in str(error))
"""
    assert fresh_python(code, tmp_path).split() == ["True"]
