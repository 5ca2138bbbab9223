"""An exported student elsewhere: behind Text Embeddings Inference, in ONNX Runtime without torch, and in a browser."""

import functools
import io
import json
import math
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, pipeline

from tests.helpers import tiny_run
from tests.helpers.chromium import chromium
from trainers.serving import export_classifier

LABELS = list(tiny_run.EMOTIONS)
LONG = "we all went home again and my friend said it was very lovely " * 12
TEXTS = ["so happy", "the day was so lonely", LONG, *(f"{word} again" for word in ("we", "all", "went", "home", "so"))]
NODE_MODULES = Path(os.environ.get("NODE_PATH", tiny_run.REPOSITORY / "node_modules"))
SERVER_LIMIT = 32


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """`folder`, an export of a stock class with thresholds, and what the emotion pipeline says of `TEXTS`."""
    place = tmp_path_factory.mktemp("student")
    encoder = tiny_run.write_encoder(place / "encoder")
    config = BertConfig.from_pretrained(encoder, problem_type="multi_label_classification")
    config.id2label = dict(enumerate(LABELS))
    config.label2id = {label: number for number, label in config.id2label.items()}
    config.thresholds = [0.35, 0.5, 0.6]
    torch.manual_seed(3)
    model = BertForSequenceClassification(config).eval()
    torch.nn.init.normal_(model.classifier.weight, std=0.5)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    export_classifier(str(place), model, tokenizer, place / "exported")
    classify: Any = pipeline("emotion-classification", model=model, tokenizer=tokenizer, device="cpu")
    scores = classify(TEXTS, top_k=None, truncation=True)
    decided = classify(TEXTS, truncation=True)
    return SimpleNamespace(
        folder=place / "exported",
        scores=[{one["label"]: one["score"] for one in row} for row in scores],
        labels=[{one["label"] for one in row} for row in decided],
    )


def assert_same(found: dict[str, float], expected: dict[str, float]) -> None:
    assert found == pytest.approx(expected, abs=1e-5)


@contextmanager
def served(handler: Any) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# -- Text Embeddings Inference ----------------------------------------------------------------------------------------


class Predict(BaseHTTPRequestHandler):
    """`/predict` as Text Embeddings Inference documents it, for a model with these logits."""

    logits: dict[str, dict[str, float]]
    requests: list[dict[str, Any]]

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.requests.append(request)
        inputs, code = request["inputs"], 200
        answer: Any
        if not all(isinstance(one, list) and len(one) == 1 for one in inputs):
            code, answer = 422, {"error": "a pair of strings", "error_type": "Validation"}
        elif len(inputs) > SERVER_LIMIT:
            message = f"batch size {len(inputs)} > maximum allowed batch size {SERVER_LIMIT}"
            code, answer = 413, {"error": message, "error_type": "Validation"}
        elif LONG in [one for (one,) in inputs] and not request.get("truncate"):
            code, answer = 413, {"error": "`inputs` must have less than 64 tokens", "error_type": "Validation"}
        else:
            answer = [self.predictions(text, request.get("raw_scores", False)) for (text,) in inputs]
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def predictions(self, text: str, raw: bool) -> list[dict[str, Any]]:
        found = self.logits[text]
        total = sum(map(math.exp, found.values()))
        scores = found if raw else {label: math.exp(logit) / total for label, logit in found.items()}
        return [{"score": scores[label], "label": label} for label in sorted(scores, key=lambda one: -scores[one])]

    def log_message(self, *args: Any) -> None:
        """Be quiet."""


@pytest.fixture
def server(student: SimpleNamespace) -> Iterator[SimpleNamespace]:
    logits = [{label: math.log(p / (1 - p)) for label, p in row.items()} for row in student.scores]
    parts = {"logits": dict(zip(TEXTS, logits, strict=True)), "requests": []}
    with served(type("Handler", (Predict,), parts)) as url:
        yield SimpleNamespace(url=url, requests=parts["requests"])


def test_client_applies_sigmoid_and_thresholds(server: SimpleNamespace, student: SimpleNamespace) -> None:
    config = tiny_run.read_json(student.folder / "config.json")
    client = tiny_run.example("tei_client").TextEmbeddingsInferenceClient(server.url, config)
    found = list(client.classify(TEXTS * 5))
    assert [len(request["inputs"]) for request in server.requests] == [32, 8]
    for one, scores, labels in zip(found, student.scores * 5, student.labels * 5, strict=True):
        assert list(one["scores"]) == LABELS
        assert_same(one["scores"], scores)
        assert set(one["labels"]) == labels
    assert 0 < sum(map(len, student.labels)) < len(LABELS) * len(TEXTS)


def test_client_of_other_problem_types(server: SimpleNamespace, student: SimpleNamespace) -> None:
    config = tiny_run.read_json(student.folder / "config.json")
    client = tiny_run.example("tei_client").TextEmbeddingsInferenceClient
    odds = {label: p / (1 - p) for label, p in student.scores[0].items()}
    (single,) = client(server.url, config | {"problem_type": None}).classify(TEXTS[:1])
    assert_same(single["scores"], {label: one / sum(odds.values()) for label, one in odds.items()})
    assert single["labels"] == [max(odds, key=lambda label: odds[label])]
    (regression,) = client(server.url, config | {"problem_type": "regression"}).classify(TEXTS[:1])
    assert_same(regression["scores"], {label: math.log(one) for label, one in odds.items()})
    assert "labels" not in regression


def test_client_says_what_the_server_says(server: SimpleNamespace, student: SimpleNamespace) -> None:
    config = tiny_run.read_json(student.folder / "config.json")
    client = tiny_run.example("tei_client").TextEmbeddingsInferenceClient(server.url, config, batch_size=40)
    with pytest.raises(RuntimeError, match=r"predict answers 413: .*batch size 40 > maximum allowed batch size 32"):
        list(client.classify(TEXTS * 5))


def test_client_on_the_command_line(
    server: SimpleNamespace,
    student: SimpleNamespace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = tiny_run.example("tei_client")
    monkeypatch.setattr("sys.stdin", io.StringIO("so happy\n\nthe day was so lonely\n"))
    command.main([str(student.folder), "--url", f"{server.url}/"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["text"] for line in lines] == TEXTS[:2]
    assert [set(line["labels"]) for line in lines] == student.labels[:2]
    assert "nowhere" in tiny_run.refusal(command, [str(student.folder / "nowhere")])
    (tmp_path / "config.json").write_text("{}")
    assert "no id2label: name the folder of the model" in tiny_run.refusal(command, [str(tmp_path)])


# -- ONNX Runtime without torch ---------------------------------------------------------------------------------------


def test_the_code_of_the_page_needs_no_torch(student: SimpleNamespace, tmp_path: Path) -> None:
    page = (tiny_run.REPOSITORY / "docs" / "serving.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```py\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "exported").symlink_to(student.folder)
    code += f"""
import sys
assert not {{"torch", "transformers"}} & set(sys.modules)
print(json.dumps(classify({TEXTS!r})))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    for one, scores, labels in zip(found, student.scores, student.labels, strict=True):
        assert_same(one["scores"], scores)
        assert set(one["labels"]) == labels


# -- in a browser -----------------------------------------------------------------------------------------------------


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Be quiet."""


def from_npm(route: Any) -> None:
    """Answer with the file of an installed package in place of the CDN's."""
    name, file = re.fullmatch(r"https://[^/]+/npm/(@?[^@]+)@[^/]+/(.+)", route.request.url).groups()
    kind = "application/wasm" if file.endswith(".wasm") else "text/javascript"
    headers = {"access-control-allow-origin": "*"}
    route.fulfill(body=(NODE_MODULES / name / file).read_bytes(), content_type=kind, headers=headers)


def test_page_shows_the_scores_of_the_pipeline(student: SimpleNamespace, tmp_path: Path) -> None:
    if not (NODE_MODULES / "@huggingface" / "transformers").is_dir():
        pytest.skip("there is no Transformers.js (npm install @huggingface/transformers, or NODE_PATH)")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "exported").symlink_to(student.folder)
    (tmp_path / "index.html").write_bytes((tiny_run.REPOSITORY / "examples/browser/index.html").read_bytes())
    with chromium() as browser, served(functools.partial(Files, directory=tmp_path)) as url:
        page = browser.new_page()
        # What is on neither of the two is not there, so the page cannot have asked anyone else.
        page.route(lambda address: not address.startswith(url), lambda route: route.abort())
        page.route("https://cdn.jsdelivr.net/**", from_npm)
        page.goto(url)
        page.get_by_text("Name a model").wait_for(timeout=120_000)
        page.goto(f"{url}/?folder=/models/exported")
        page.get_by_text("Ready.").wait_for(timeout=120_000)
        for number in range(2):
            page.get_by_label("Text").fill(TEXTS[number])
            page.get_by_role("button").click()
            page.locator("button:enabled").wait_for()
            rows = [cells.split() for cells in page.locator("tr").all_inner_texts()]
            found = {label: float(score) for label, score in rows}
            assert found == pytest.approx(student.scores[number], abs=1e-3)
            assert set(page.locator("tr.reached th").all_inner_texts()) == student.labels[number]
