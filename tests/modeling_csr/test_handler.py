"""The handler of Inference Endpoints, as they load it: by its file, from the saved folder."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, pipeline

TEXTS = ["you are my best friend and I love you!", "never again, what a bad night"]
LONG = " ".join(["sun love joy good happy", "rain hate fear bad sad"] * 13)
Factory = Callable[..., Any]
Entries = list[dict[str, Any]]


@pytest.fixture
def folder(csr: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path) -> Path:
    """A saved model, with thresholds that let some labels through."""
    csr(thresholds=[0.1, 0.9, 0.5, 0.5]).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_encoder("bert")).save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture
def answer(folder: Path) -> Any:
    return endpoint_handler(folder)(str(folder))


def endpoint_handler(folder: Path) -> type:
    """The class in the folder's own handler.py."""
    spec = importlib.util.spec_from_file_location("handler", folder / "handler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.EndpointHandler


def assert_same(found: list[Entries], expected: list[Entries]) -> None:
    """The handler computes in batches, which changes the last digits."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert [entry["label"] for entry in one] == [entry["label"] for entry in other]
        assert [entry["score"] for entry in one] == pytest.approx([entry["score"] for entry in other], abs=1e-6)


def test_it_answers_as_the_pipeline(folder: Path, answer: Any) -> None:
    classifier = pipeline("emotion-classification", model=str(folder))
    assert_same([answer({"inputs": TEXTS[0]})], [classifier(TEXTS[0])])
    assert_same(answer({"inputs": [*TEXTS, LONG]}), classifier([*TEXTS, LONG]))
    assert_same(answer({"inputs": TEXTS, "parameters": {"top_k": None}}), classifier(TEXTS, top_k=None))
    assert_same(answer({"inputs": TEXTS, "parameters": None}), classifier(TEXTS))
    assert answer({"inputs": []}) == []
    strided = {"inputs": LONG, "parameters": {"top_k": 2, "stride": 0}}
    assert_same([answer(strided)], [classifier(LONG, top_k=2, stride=0)])
    found = answer({"inputs": TEXTS, "parameters": {"return_embeddings": True}})
    for one, other in zip(found, classifier(TEXTS, return_embeddings=True), strict=True):
        assert_same([one["labels"]], [other["labels"]])
        assert one["embedding"] == pytest.approx(other["embedding"], abs=1e-6)


def test_tasks_of_a_multitask_model(multitask: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path) -> None:
    multitask(tasks=("emotion", "sentiment")).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_encoder("bert")).save_pretrained(tmp_path)
    answer = endpoint_handler(tmp_path)(str(tmp_path))
    (entry,) = answer({"inputs": TEXTS[0], "parameters": {"main_task": "sentiment"}})
    assert entry["label"] in ("negative", "neutral", "positive")


def test_its_default_is_the_folder_where_it_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert len(endpoint_handler(folder)()({"inputs": TEXTS})) == 2


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, 'A request needs "inputs"'),
        ({"input": "so"}, 'A request needs "inputs"'),
        ("so", 'A request needs "inputs"'),
        ({"inputs": 3}, '"inputs" must be a text or a list of texts, got int'),
        ({"inputs": {"text": "so"}}, '"inputs" must be a text or a list of texts, got dict'),
        ({"inputs": ["so", None]}, r"inputs\[1\] must be a string, got NoneType"),
        ({"inputs": ["so", ""]}, r"inputs\[1\] is empty"),
        ({"inputs": "so", "parameters": [1]}, '"parameters" must be an object, got list'),
        ({"inputs": "so", "parameters": {"top_k": 1, "topk": 1}}, 'Unknown "parameters": topk. Choose from top_k, '),
        ({"inputs": "so", "parameters": {"batch_size": 9}}, 'Unknown "parameters": batch_size'),
        ({"inputs": "so", "parameters": {"top_k": "3"}}, "top_k must be a positive integer"),
        ({"inputs": "so", "parameters": {"main_task": "irony"}}, "main_task 'irony'"),
    ],
)
def test_bad_requests(answer: Any, request_: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        answer(request_)


def test_folders_without_a_classifier(csr: Factory, folder: Path, tmp_path: Path) -> None:
    csr().csr.save_pretrained(tmp_path / "base")
    with pytest.raises(ValueError, match="has no 'emotion-classification' pipeline"):
        endpoint_handler(folder)(str(tmp_path / "base"))
    with pytest.raises(FileNotFoundError, match=r"nowhere.config\.json"):
        endpoint_handler(folder)(str(tmp_path / "nowhere"))


def test_a_process_without_the_package(folder: Path, answer: Any, fresh_python: Callable[..., str]) -> None:
    code = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("handler.py", sys.argv[1] + "/handler.py")
handler = importlib.util.module_from_spec(spec)
sys.modules["handler.py"] = handler
spec.loader.exec_module(handler)
print(json.dumps(handler.EndpointHandler(sys.argv[1])(json.loads(sys.argv[2]))))
assert not any(name.split(".")[0] == "modeling_csr" for name in sys.modules)
"""
    request = {"inputs": [*TEXTS, LONG], "parameters": {"top_k": None}}
    found = json.loads(fresh_python(code, folder, json.dumps(request)).splitlines()[-1])
    assert_same(found, answer(request))
