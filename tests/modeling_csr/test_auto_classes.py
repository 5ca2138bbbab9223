"""What is saved is complete in itself: the Auto classes and pipelines load it, with this package and without it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    pipeline,
)

from modeling_csr import (
    CSRConfig,
    CSRForSequenceClassification,
    CSRModel,
    MultitaskConfig,
    MultitaskForSequenceClassification,
    MultitaskModel,
    RecurrentEncoderConfig,
    RecurrentEncoderModel,
    SiameseModel,
)

MODEL_TYPES = ("bert", "roberta", "distilbert", "mpnet", "modernbert", "electra")
EMPTY = {"missing_keys": set(), "unexpected_keys": set(), "mismatched_keys": set(), "error_msgs": []}
TEXTS = ["you are my best friend and I love you!", "never again, what a bad night"]
EMOTIONS = ["anger", "fear", "joy", "love"]
Tokens = dict[str, torch.Tensor]
Factory = Callable[..., Any]


# --- in a process that has imported the package


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_auto_classes(
    multitask: Factory, csr: Factory, siamese: Factory, tokens: Tokens, tmp_path: Path, model_type: str
) -> None:
    # model, Auto class, the class that is loaded, the output to compare
    cases = [
        (multitask(model_type), AutoModelForSequenceClassification, MultitaskForSequenceClassification, "logits"),
        (multitask(model_type), AutoModel, MultitaskModel, "representation"),
        (multitask(model_type).multitask, AutoModel, MultitaskModel, "representation"),
        (csr(model_type), AutoModelForSequenceClassification, CSRForSequenceClassification, "logits"),
        (csr(model_type), AutoModel, CSRModel, "common_space"),
        (csr(model_type).csr, AutoModel, CSRModel, "common_space"),
        (
            csr(model_type, common_level="token"),
            AutoModelForSequenceClassification,
            CSRForSequenceClassification,
            "logits",
        ),
        (csr(model_type, common_level="token"), AutoModel, CSRModel, "common_space"),
        (siamese(model_type), AutoModel, SiameseModel, "embeddings"),
    ]
    for number, (model, auto_class, cls, name) in enumerate(cases):
        folder = tmp_path / str(number)
        model.save_pretrained(folder)
        loaded, info = auto_class.from_pretrained(folder, output_loading_info=True)
        assert type(loaded) is cls
        assert info == EMPTY
        assert torch.equal(loaded(**tokens)[name], model(**tokens)[name])


def test_auto_config(multitask: Factory, csr: Factory, siamese: Factory, tmp_path: Path) -> None:
    for model, cls in ((multitask(), MultitaskConfig), (csr(), CSRConfig), (siamese(), CSRConfig)):
        model.save_pretrained(tmp_path)
        assert type(AutoConfig.from_pretrained(tmp_path)) is cls


def test_auto_classes_build_from_a_config(multitask: Factory, csr: Factory) -> None:
    for config, base, classifier in (
        (multitask().config, MultitaskModel, MultitaskForSequenceClassification),
        (csr().config, CSRModel, CSRForSequenceClassification),
    ):
        assert type(AutoModelForSequenceClassification.from_config(config)) is classifier
        assert type(AutoModel.from_config(config)) is base


# --- what is in the folder


def save(model: PreTrainedModel, folder: Path, tiny_encoder: Callable[[str], Path]) -> Path:
    """All of the tiny encoders have the same tokenizer."""
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_encoder("bert")).save_pretrained(folder)
    return folder


MULTITASK_MAP = {
    "AutoConfig": "configuration_multitask.MultitaskConfig",
    "AutoModel": "modeling_multitask.MultitaskModel",
    "AutoModelForSequenceClassification": "modeling_multitask.MultitaskForSequenceClassification",
}
CSR_MAP = {
    "AutoConfig": "configuration_csr.CSRConfig",
    "AutoModel": "modeling_csr.CSRModel",
    "AutoModelForSequenceClassification": "modeling_csr.CSRForSequenceClassification",
}
RECURRENT_CODE = {"configuration_recurrent_encoder.py", "modeling_recurrent_encoder.py", "pooling.py"}
MULTITASK_CODE = RECURRENT_CODE | {
    "configuration_multitask.py",
    "handler.py",
    "losses.py",
    "modeling_multitask.py",
    "pipeline_emotion.py",
    "pretrained_model.py",
}
CSR_CODE = MULTITASK_CODE | {"classifier_config.py", "configuration_csr.py", "layers.py", "modeling_csr.py"}
SIAMESE_CODE = CSR_CODE | {"modeling_siamese.py"}


def test_folders_name_every_class_and_hold_its_code(
    multitask: Factory, csr: Factory, siamese: Factory, tmp_path: Path
) -> None:
    cases = [
        (multitask(), MULTITASK_MAP, MULTITASK_CODE),
        (multitask().multitask, MULTITASK_MAP, MULTITASK_CODE),
        (csr(), CSR_MAP, CSR_CODE),
        (csr().csr, CSR_MAP, CSR_CODE),
        (siamese(), CSR_MAP | {"AutoModel": "modeling_siamese.SiameseModel"}, SIAMESE_CODE),
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
    in_siamese, in_csr = "modeling_siamese.SiameseModel", "modeling_csr.CSRModel"
    for saved, base in ((siamese, in_siamese), (model, in_csr), (siamese, in_siamese)):
        saved.save_pretrained(tmp_path)
        auto_map = json.loads((tmp_path / "config.json").read_text())["auto_map"]
        assert auto_map == CSR_MAP | {"AutoModel": base}


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


# --- pipelines


def scores(folder: Path, batch_size: int = 1) -> list[dict[str, float]]:
    """By text, the score of each label."""
    classifier = pipeline("text-classification", model=str(folder), top_k=None, batch_size=batch_size)
    return [{entry["label"]: entry["score"] for entry in entries} for entries in classifier(TEXTS)]


def logits(model: PreTrainedModel, folder: Path) -> torch.Tensor:
    with torch.no_grad():
        return model(**AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")).logits


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_pipeline_gives_sigmoid_scores_of_multi_label_models(
    request: pytest.FixtureRequest, tiny_encoder: Callable[[str], Path], tmp_path: Path, family: str
) -> None:
    model = request.getfixturevalue(family)()
    folder = save(model, tmp_path, tiny_encoder)
    expected = logits(model, folder).sigmoid()
    for found, row in zip(scores(folder), expected, strict=True):
        assert found == pytest.approx(dict(zip(EMOTIONS, row.tolist(), strict=True)), abs=1e-6)
        assert abs(sum(found.values()) - 1) > 0.1


@pytest.mark.parametrize("batch_size", [2, 8])
@pytest.mark.parametrize("family", ["multitask", "csr", "siblings", "tokens"])
def test_pipeline_in_batches(
    multitask: Factory, csr: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path, family: str, batch_size: int
) -> None:
    model = {
        "multitask": lambda: multitask("electra", tasks=("emotion", "sentiment")),
        "csr": csr,
        "siblings": lambda: csr(sources=("roberta", "electra")),
        "tokens": lambda: csr(common_level="token"),
    }[family]()
    folder = save(model, tmp_path, tiny_encoder)
    for found, alone in zip(scores(folder, batch_size), scores(folder), strict=True):
        assert found == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_pipeline_gives_softmax_scores_of_single_label_models(
    multitask: Factory, csr: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path, family: str
) -> None:
    if family == "csr":
        model, names = csr(problem_type="single_label_classification"), EMOTIONS
    else:
        model = multitask("modernbert", tasks=("emotion", "sentiment"), main_task="sentiment")
        names = ["negative", "neutral", "positive"]
    folder = save(model, tmp_path, tiny_encoder)
    expected = logits(model, folder).softmax(-1)
    for found, row in zip(scores(folder), expected, strict=True):
        assert found == pytest.approx(dict(zip(names, row.tolist(), strict=True)), abs=1e-6)
        assert sum(found.values()) == pytest.approx(1)


def test_pipeline_gives_the_numbers_themselves_of_regression_models(
    multitask: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path
) -> None:
    model = multitask("electra", tasks=("intensity",))
    folder = save(model, tmp_path, tiny_encoder)
    for found, row in zip(scores(folder), logits(model, folder), strict=True):
        assert found == pytest.approx(dict(zip(["anger", "joy"], row.tolist(), strict=True)), abs=1e-6)


# --- in a process of its own

LOAD = """
import json, sys
from pathlib import Path

package, folder = sys.argv[1] == "package", Path(sys.argv[2])
if package:
    import modeling_csr
else:
    try:
        import modeling_csr
    except ImportError:
        pass
    else:
        sys.exit(f"modeling_csr can be imported from {modeling_csr.__file__}")

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
