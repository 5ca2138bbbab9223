"""A classifier exported to ONNX does what it did, from the command to the pipeline, and int8 has to be approved."""

import re
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoTokenizer, pipeline

from modeling_csr import MultitaskForSequenceClassification, OnnxClassifier, OpenVINOClassifier
from tests.helpers import tiny_run
from trainers.commands import run_export
from trainers.serving import PACKAGES, check_logits, check_packages
from trainers.serving.export_folder import card
from trainers.serving.quantization import quantize, weighted_nodes, write_int8

LABELS = list(tiny_run.EMOTIONS)
OPENVINO = find_spec("openvino") is not None
TEXTS = ["so happy", "the day was so lonely", "we all went home again and my friend said it was very lovely " * 4]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`model`, a `csr-multitask` of two tasks with thresholds, and `exported`, by the command, in both precisions."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    tasks = {
        "emotion": {"labels": LABELS, "problem_type": "multi_label_classification", "thresholds": [0.4, 0.5, 0.6]},
        "sentiment": {"labels": ["negative", "positive"], "problem_type": "single_label_classification"},
    }
    torch.manual_seed(0)
    model = MultitaskForSequenceClassification.from_encoder(str(place / "encoder"), tasks)
    # A head whose probabilities are neither all 0.5 nor beyond what 7 bits can tell apart.
    torch.nn.init.normal_(model.get_parameter("heads.emotion.weight"), std=0.2)
    model.save_pretrained(place / "model")
    AutoTokenizer.from_pretrained(place / "encoder").save_pretrained(place / "model")
    (place / "model" / "README.md").write_text("---\ntags: [emotion]\n---\n\n# Mine\n", encoding="utf-8")
    data = ["--dataset", place / "data" / "posts", "--label_columns", *LABELS]
    argv = [place / "model", "--precision", "fp32", "int8", *data, "--output_dir", place / "exported"]
    argv += ["--to", "onnx", *(["openvino"] if OPENVINO else [])]
    run_export([*map(str, argv)])
    return place


def test_the_folder_is_laid_out_for_other_runtimes(place: Path) -> None:
    folder = place / "exported"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.suffix != ".py"}
    assert files == {
        *("onnx/model.onnx", "onnx/model_quantized.onnx", "config.json", "export.json", "README.md"),
        *("tokenizer.json", "tokenizer_config.json"),
        *(("openvino/openvino_model.xml", "openvino/openvino_model.bin") if OPENVINO else ()),
    }
    assert set(tiny_run.read_json(folder / "export.json")["files"]) == {file for file in files if "/" in file}
    graph = onnx.load(folder / "onnx" / "model.onnx").graph
    assert [one.name for one in graph.input] == ["input_ids", "token_type_ids", "attention_mask"]
    assert [one.name for one in graph.output] == ["logits"]
    for one in graph.input:
        assert [axis.dim_param for axis in one.type.tensor_type.shape.dim] == ["batch", "length"]
    config = tiny_run.read_json(folder / "config.json")
    assert list(config["tasks"]) == ["emotion"] and config["tasks"]["emotion"]["thresholds"] == [0.4, 0.5, 0.6]
    # As many as the encoder has positions, for runtimes that read nothing else.
    assert tiny_run.read_json(folder / "tokenizer_config.json")["model_max_length"] == 64


def test_the_pipeline_gives_the_same_results(place: Path) -> None:
    """With windows, which the last text needs, and at the model's thresholds."""
    ours = pipeline("emotion-classification", model=str(place / "model"), device="cpu")
    exported = OnnxClassifier.from_pretrained(place / "exported")
    theirs = pipeline("emotion-classification", model=exported, tokenizer=str(place / "exported"), device="cpu")
    assert [[one["label"] for one in row] for row in theirs(TEXTS)] == [
        [one["label"] for one in row] for row in ours(TEXTS)
    ]
    for row, expected in zip(theirs(TEXTS, top_k=None), ours(TEXTS, top_k=None), strict=True):
        found = {one["label"]: one["score"] for one in row}
        assert found == pytest.approx({one["label"]: one["score"] for one in expected}, abs=1e-5)
    with pytest.raises(ValueError, match="return_embeddings is not supported by models of type 'OnnxClassifier'"):
        theirs(TEXTS[0], return_embeddings=True)
    with pytest.raises(ValueError, match="not a task of the model, which has emotion"):
        theirs(TEXTS[0], main_task="sentiment")


@pytest.mark.skipif(not OPENVINO, reason="pip install 'csr-emotion[openvino]'")
def test_openvino_gives_the_same_results(place: Path) -> None:
    """From several threads as well, which have a request each."""
    folder = place / "exported"
    assert tiny_run.read_json(folder / "export.json")["openvino_logit_difference"] < 1e-5
    assert "`openvino/openvino_model.xml`: fp32. Logits differ by at most" in (folder / "README.md").read_text("utf-8")
    exported = OpenVINOClassifier.from_pretrained(folder)
    theirs = pipeline("emotion-classification", model=exported, tokenizer=str(folder), device="cpu")
    ours = pipeline("emotion-classification", model=str(place / "model"), device="cpu")
    for row, expected in zip(theirs(TEXTS, top_k=None), ours(TEXTS, top_k=None), strict=True):
        found = {one["label"]: one["score"] for one in row}
        assert found == pytest.approx({one["label"]: one["score"] for one in expected}, abs=1e-5)
    batches = [AutoTokenizer.from_pretrained(folder)([text], return_tensors="pt") for text in TEXTS[:2]]
    alone = [exported(**batch).logits for batch in batches]
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(lambda batch: exported(**batch).logits, batches * 50)
        assert all(torch.equal(*pair) for pair in zip(together, alone * 50, strict=True))


def test_int8_states_what_it_costs(place: Path) -> None:
    record = tiny_run.read_json(place / "exported" / "export.json")
    report = record["int8"]
    assert report["texts"] == 15 and set(report["metrics"]) == {"jaccard", "micro_f1", "macro_f1"}
    assert 0 < report["probability_difference"] <= 0.01
    assert all(values["fp32"] - values["int8"] <= 0.3 for values in report["metrics"].values())
    text = (place / "exported" / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\ntags: [emotion]\n---\n\n# Mine\n")
    assert f"differ by {report['probability_difference']:.4f} on average" in text
    assert card(text, record) == text  # replaced, not added once more
    tokenizer = AutoTokenizer.from_pretrained(place / "exported")
    batch = tokenizer(TEXTS, padding=True, truncation=True, return_tensors="pt")
    fp32, int8 = (OnnxClassifier.from_pretrained(place / "exported", precision=name) for name in ("fp32", "int8"))
    difference = (fp32(**batch).logits.sigmoid() - int8(**batch).logits.sigmoid()).abs()
    assert 0 < difference.max() < 0.05


def test_int8_that_costs_too_much_is_refused(place: Path, tmp_path: Path) -> None:
    source, target = place / "exported" / "onnx" / "model.onnx", tmp_path / "int8.onnx"
    model = OnnxClassifier.from_pretrained(place / "exported")
    tokenizer = AutoTokenizer.from_pretrained(place / "exported")
    labels = np.zeros((len(TEXTS), len(LABELS)))
    with pytest.raises(ValueError, match=r"probabilities differ by 0\.0\d+ on average \(at most 0\.0\).*nodes in fp32"):
        write_int8(source, target, model.config, tokenizer, TEXTS, TEXTS, labels, max_length=64, max_difference=0.0)
    assert not target.exists()


def test_nodes_that_are_left_out_stay_in_fp32(place: Path, tmp_path: Path) -> None:
    source, target = place / "exported" / "onnx" / "model.onnx", tmp_path / "int8.onnx"
    others = weighted_nodes(source)[1:]
    quantize(source, target, exclude=others)
    assert matrices_in_fp32(target) == len(others)
    quantize(source, target, only=others)
    assert matrices_in_fp32(target) == 1


def matrices_in_fp32(path: Path) -> int:
    weights = onnx.load(path).graph.initializer
    return sum(len(one.dims) == 2 and one.data_type == onnx.TensorProto.FLOAT for one in weights)


def test_a_file_of_other_weights_is_noticed(place: Path) -> None:
    model = MultitaskForSequenceClassification.from_pretrained(place / "model")
    tokenizer = AutoTokenizer.from_pretrained(place / "model")
    exported = OnnxClassifier.from_pretrained(place / "exported")
    assert check_logits(model, tokenizer, exported) < 1e-5
    with torch.no_grad():
        model.get_parameter("heads.emotion.bias")[1] += 0.01
    with pytest.raises(ValueError, match=r"logits differ by 0\.01 "):
        check_logits(model, tokenizer, exported)


def test_bad_input_is_refused_before_any_work(place: Path, tmp_path: Path) -> None:
    def refusal(*argv: object) -> str:
        with pytest.raises(SystemExit) as ended:
            run_export([str(one) for one in argv])
        return str(ended.value)

    model, new = place / "model", ("--output_dir", tmp_path / "new")
    assert "--precision int8 needs texts" in refusal(model, "--precision", "int8", *new)
    assert "holds something other than an export" in refusal(model, "--output_dir", place / "data")
    if OPENVINO:
        int8 = ("--precision", "int8", "--dataset", place / "data" / "posts", "--label_columns", *LABELS)
        assert "int8 is for ONNX" in refusal(model, "--to", "openvino", *int8, *new)
    assert "not a trained classifier" in refusal(place / "encoder", *new)
    assert not (tmp_path / "new").exists() and (place / "data" / "posts").is_dir()


def test_missing_packages_are_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, "onnx", ("onnx", "onnxlike"))
    with pytest.raises(ModuleNotFoundError, match=r"needs onnxlike: pip install 'csr-emotion\[onnx\]'"):
        check_packages(("onnx",))
    monkeypatch.setattr(OnnxClassifier, "package", "onnxlike")
    with pytest.raises(ModuleNotFoundError, match="OnnxClassifier needs its runtime: pip install onnxlike"):
        OnnxClassifier.from_pretrained(place / "exported")
    with pytest.raises(ValueError, match="precision must be one of fp32, int8, got"):
        OnnxClassifier.from_pretrained(place / "exported", precision="int4")


def test_the_code_of_the_page_runs(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (tiny_run.REPOSITORY / "docs" / "export.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```py\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "exported").symlink_to(place / "exported")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert len(names["classifier"]("so happy", top_k=None)) == len(LABELS)
