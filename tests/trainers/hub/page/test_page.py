"""The page to try models: what it computes, what it shows, how it gets to the Hub, and its use in a real browser."""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, RepoCard, constants
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from modeling_csr import CSRForSequenceClassification, MultitaskForSequenceClassification
from tests.helpers import hub_server, tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.hub.space import push_space

SPACE = tiny_run.REPOSITORY / "trainers" / "hub" / "page"
# The parts import each other by their plain names, as on the Hub.
sys.path.append(str(SPACE))
attribution, classifier, markup, neighbours = map(
    importlib.import_module, ("attribution", "classifier", "markup", "neighbours")
)

sys.path.remove(str(SPACE))

LABELS = list(tiny_run.EMOTIONS)
HOSTILE = '<img src=x onerror="alert(1)"> ${alert(2)} {{value}}'


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Folders of an untrained `csr`, of a `stock` classifier with one label a text, and of a `regression`."""
    folder = tmp_path_factory.mktemp("models")
    encoder = tiny_run.write_encoder(folder / "encoder")
    names = {"id2label": dict(enumerate(LABELS)), "label2id": {name: index for index, name in enumerate(LABELS)}}
    torch.manual_seed(0)
    emotion, source = (
        MultitaskForSequenceClassification.from_encoder(
            str(encoder), {task: {"labels": LABELS, "problem_type": "multi_label_classification"}}
        ).multitask
        for task in ("emotion", "sentiment")
    )
    csr = CSRForSequenceClassification.from_encoders(emotion, [source], thresholds=[0.3, 0.5, 0.7], **names)
    # As it is initialised, it says 50 % of everything.
    for parameter in (*csr.csr.common_encoder.parameters(), *csr.classifier.parameters()):
        torch.nn.init.normal_(parameter)
    config = BertConfig.from_pretrained(encoder, id2label={0: "sad", 1: "glad"}, label2id={"sad": 0, "glad": 1})
    stock = BertForSequenceClassification(config)
    for name, model in (("csr", csr), ("stock", stock)):
        model.save_pretrained(folder / name)
        AutoTokenizer.from_pretrained(encoder, model_max_length=64).save_pretrained(folder / name)
    config.problem_type = "regression"
    config.save_pretrained(folder / "regression")
    return SimpleNamespace(csr=folder / "csr", stock=folder / "stock", regression=folder / "regression")


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("gradio", reason="the page needs gradio: pip install --editable '.[space]'")
    monkeypatch.syspath_prepend(SPACE)
    for name in ("MODEL", "COMPARE"):
        monkeypatch.delenv(name, raising=False)
    return importlib.import_module("app")


# -- what words contribute --------------------------------------------------------------------------------------------


def count_words(texts: Sequence[str]) -> np.ndarray:
    """Two labels: the first likes "good" and dislikes "bad", the second dislikes "good"."""
    return np.array([[0.5 + 0.2 * ("good" in t) - 0.1 * ("bad" in t), 0.6 - 0.3 * ("good" in t)] for t in texts])


def test_contribution_is_the_change_without_the_word() -> None:
    text = "good,  but\nbad"
    found = attribution.attribute(text, count_words, count_words([text])[0])
    assert [text[start:stop] for start, stop in found.spans] == ["good,", "but", "bad"]
    np.testing.assert_allclose(found.contributions, [[0.2, -0.3], [0, 0], [-0.1, 0]], atol=1e-12)


def test_single_word_has_nothing_to_be_compared_with() -> None:
    found = attribution.attribute(" good ", count_words, count_words(["good"])[0])
    assert found.spans == [] and found.contributions.shape == (0, 2)
    assert "single word" in markup.words(found, "joy", 0)


def test_words_of_long_texts_are_taken_in_runs() -> None:
    text = " ".join(f"w{number}" for number in range(130))
    spans = attribution.pieces(text)
    assert len(spans) == 64
    assert {len(text[start:stop].split()) for start, stop in spans} == {2, 3}
    assert " ".join(text[start:stop] for start, stop in spans) == text


# -- neighbours -------------------------------------------------------------------------------------------------------


def test_nearest_posts_by_cosine() -> None:
    posts = [neighbours.Post(name, ()) for name in ("along", "across", "between", "nowhere")]
    index = neighbours.Neighbours(posts, np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [0.0, 0.0]]))
    found = index.nearest(np.array([3.0, 0.0]), 3)
    assert [post.text for post, _ in found] == ["along", "between", "across"]
    assert [cosine for _, cosine in found] == pytest.approx([1, 0.5**0.5, 0])


def test_posts_are_read_with_their_labels(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"text": "one\u2028line", "emotions": {"joy": 0.5, "love": 1}}\n{"text": "two", "emotions": {}}\n', "utf-8"
    )
    (tmp_path / "b.jsonl").write_text('{"text": "three", "emotions": {"fear": 0.1}}\n', "utf-8")
    posts = neighbours.read_posts([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert posts == [
        neighbours.Post("one\u2028line", ("joy", "love")),
        neighbours.Post("two", ()),
        neighbours.Post("three", ("fear",)),
    ]


# -- models -----------------------------------------------------------------------------------------------------------


def test_reading_is_what_the_model_computes(models: SimpleNamespace) -> None:
    page = classifier.Classifier(str(models.csr))
    assert (page.labels, page.thresholds, page.space) == (LABELS, [0.3, 0.5, 0.7], "the common space")
    model = CSRForSequenceClassification.from_pretrained(models.csr)
    with torch.inference_mode():
        output = model(**AutoTokenizer.from_pretrained(models.csr)(["so happy again"], return_tensors="pt"))
    (reading,) = page.read(["so happy again"])
    np.testing.assert_allclose(reading.scores, output.logits.sigmoid()[0], rtol=1e-4)
    np.testing.assert_allclose(reading.vector, output.common_space[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(page.scores(["home", "so happy again"])[1], reading.scores, rtol=1e-4)
    assert page.decide(np.array([0.3, 0.49, 0.8])).tolist() == [True, False, True]


def test_stock_classifier_gives_probabilities_and_no_vector(models: SimpleNamespace) -> None:
    page = classifier.Classifier(str(models.stock))
    assert (page.labels, page.thresholds, page.space, page.limit) == (["sad", "glad"], None, None, 64)
    (reading,) = page.read(["so happy again"])
    assert reading.scores.sum() == pytest.approx(1) and reading.vector is None
    assert page.decide(np.array([0.4, 0.6])).tolist() == [False, True]


def test_long_texts_are_read_in_windows_or_cut(models: SimpleNamespace) -> None:
    texts = ["the day was so very " * 40 + end * 20 for end in ("home ", "furious ", "laughing ")]
    csr, stock = (classifier.Classifier(str(folder)) for folder in (models.csr, models.stock))
    # Only the windows reach the ends.
    assert np.ptp(csr.scores(texts), axis=0).max() > 1e-3
    np.testing.assert_allclose(np.ptp(stock.scores(texts), axis=0), 0, atol=1e-6)


def test_regression_is_refused(models: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="is a regression model"):
        classifier.Classifier(str(models.regression))


# -- what is shown ----------------------------------------------------------------------------------------------------


def test_bars_show_probabilities_beside_thresholds() -> None:
    labels, thresholds = ["joy", "a<b>", "fear"], [0.25, 0.5, 0.9]
    html = markup.bars(labels, np.array([0.3, 0.61, 0.1]), np.array([True, True, False]), thresholds)
    rows = html.split("<tbody>")[1].split("</tr>")
    assert "a&lt;b&gt;" in rows[0] and "✓" in rows[0] and "<td>61 %</td><td>50 %</td>" in rows[0]
    assert 'width:30.0%"' in rows[1] and 'left:25.0%"' in rows[1] and "<td>30 %</td><td>25 %</td>" in rows[1]
    assert "✓" not in rows[2] and "<strong>joy, a&lt;b&gt;</strong>" in html and "a<b>" not in html
    assert "No label reaches its threshold." in markup.bars(labels, np.zeros(3), np.zeros(3), thresholds)
    assert "Threshold" not in markup.bars(labels, np.full(3, 1 / 3), np.array([True, False, False]))


def test_words_carry_their_points_and_their_sign() -> None:
    found = attribution.Attribution("so happy, not sad", [(0, 2), (3, 9), (10, 13), (14, 17)], np.zeros((4, 2)))
    found.contributions[:, 1] = [0.004, 0.2, -0.1, -0.004]
    html = markup.words(found, "joy", 1).split("</p>")[0]
    assert html == (
        '<p class="words"><span>so</span> <mark class="for" style="--strength:50%">happy,<sub>+20</sub></mark> '
        '<mark class="against" style="--strength:30%">not<sub>−10</sub></mark> <span>sad</span>'
    )


def test_whatever_comes_from_outside_is_escaped() -> None:
    text = f"{HOSTILE} & more"
    found = attribution.attribute(text, count_words, count_words([text])[0])
    post = neighbours.Post(HOSTILE, (HOSTILE,))
    for html in (markup.words(found, HOSTILE, 0), markup.neighbours([(post, 0.5)]), markup.note(HOSTILE)):
        assert "<img" not in html and "&lt;img" in html and 'onerror="' not in html


# -- the page without a browser ---------------------------------------------------------------------------------------


def test_two_models_with_other_labels_answer_side_by_side(app: ModuleType, models: SimpleNamespace) -> None:
    posts = [neighbours.Post("so happy", ("joy",)), neighbours.Post("crying all day", ())]
    views = [app.ModelView(app.Classifier(str(folder)), posts) for folder in (models.csr, models.stock)]
    app.build_page(views)
    first, last = app.respond(views, "so happy again")
    width = len(views[0].outputs)
    assert "Asking stock" in first[0] and first[1 + width] == "" and "Done" in last[0]
    bars, _, label, words, nearest, _ = last[1 : 1 + width]
    assert all(name in bars for name in LABELS) and "<td>70 %</td>" in bars
    assert label in LABELS and f"<em>{label}</em>" in words and "so happy" in nearest and "cosine" in nearest
    bars, _, label, words, nearest, _ = last[1 + width :]
    assert "glad" in bars and "Threshold" not in bars and "first 64 tokens" in bars
    assert label in ("sad", "glad") and "no common space" in nearest


@pytest.mark.parametrize(("text", "message"), [(" \n ", "nothing to read"), ("x" * 5001, "5,001 characters long")])
def test_text_that_cannot_be_read_is_answered_kindly(
    text: str, message: str, app: ModuleType, models: SimpleNamespace
) -> None:
    views = [app.ModelView(app.Classifier(str(models.stock)), [])]
    app.build_page(views)
    (answer,) = app.respond(views, text)
    assert message in answer[0] and answer[1] == "" and answer[-1] is None


def test_models_come_from_arguments_then_variables(
    app: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        app.parse_args([])
    assert "give --model, such as outputs/demo/csr after `make demo`" in capsys.readouterr().err
    monkeypatch.setenv("MODEL", "org/a")
    args = app.parse_args(["--compare", "org/b"])
    assert (args.model, args.compare) == ("org/a", "org/b")
    assert app.parse_args(["--model", "org/c"]).model == "org/c"


def test_model_that_is_not_there_is_named(app: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no-such-model"):
        app.main(["--model", str(tmp_path / "no-such-model")])


# -- to the Hub -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hub() -> Iterator[Any]:
    with hub_server.HubServer() as server:
        yield server


@pytest.fixture
def api(hub: Any, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    # Read from the environment when huggingface_hub is imported, which is too late here.
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    return HfApi(endpoint=hub.url, token="hf_write")


def test_space_is_one_commit_and_made_once(hub: Any, api: HfApi) -> None:
    push_space(api, "org/page", "org/model", "org/other", private=True)
    space = hub.repositories["spaces/org/page"]
    assert (space.sdk, space.private, len(space.commits)) == ("gradio", True, 2)
    files = space.files()
    parts = {path.name for path in SPACE.glob("*.*")}
    assert set(files) == {".gitattributes", "posts/dev.jsonl", "posts/test.jsonl", *parts}
    assert {"app.py", "README.md", "requirements.txt", "style.css"} <= parts
    assert files["app.py"] == (SPACE / "app.py").read_bytes()
    card = space.card_data()
    assert card["models"] == ["org/model", "org/other"]
    assert (card["sdk"], card["app_file"], card["pinned"], card["license"]) == ("gradio", "app.py", False, "apache-2.0")
    assert card["python_version"] == "3.11" and card["sdk_version"].startswith("6.")
    push_space(api, "org/page", "org/model", "org/other")
    assert len(space.commits) == 2
    push_space(api, "org/page", "org/model")
    assert len(space.commits) == 3 and space.card_data()["models"] == ["org/model"]


def test_space_keeps_the_card_that_people_changed(hub: Any, api: HfApi) -> None:
    push_space(api, "org/changed", "org/model", "org/other")
    space = hub.repositories["spaces/org/changed"]
    card = RepoCard(space.files()["README.md"].decode("utf-8"))
    card.data["title"], card.data["sdk_version"] = "Moods of my readers", "5.0.0"
    card.text += "\nAsk me about it.\n"
    changed = CommitOperationAdd("README.md", str(card).encode("utf-8"))
    api.create_commit("org/changed", [changed], commit_message="My own words", repo_type="space")
    push_space(api, "org/changed", "org/newer")
    data = space.card_data()
    assert (data["title"], data["models"]) == ("Moods of my readers", ["org/newer"])
    assert space.files()["README.md"].endswith(b"\nAsk me about it.\n")
    # What the page runs on goes with its code.
    assert data["sdk_version"].startswith("6.")


def test_space_without_a_card_gets_one(hub: Any, api: HfApi) -> None:
    push_space(api, "org/bare", "org/model")
    removal = CommitOperationDelete("README.md")
    api.create_commit("org/bare", [removal], commit_message="No card", repo_type="space")
    push_space(api, "org/bare", "org/model")
    assert hub.repositories["spaces/org/bare"].card_data()["models"] == ["org/model"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--push_space"], "give --push_to_hub with it"),
        (["--push_space", "--push_to_hub", "--hub_revision", "new"], "leave --hub_revision out"),
    ],
)
def test_space_needs_its_model_on_the_hub(options: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        parse_run_arguments(["--output_dir", str(tmp_path), *options])


@pytest.fixture(scope="module")
def published(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """After a run with `--push_space`, in which every stage took a few steps; the home of its clients."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"), train=24, dev=9)
    quick = {f"{kind}num_train_epochs": 1 for kind in ("", "common_")}
    options = {"recipe": "model-3.1", "push_to_hub": True, "push_space": True, "hub_model_id": "org/csr"}
    argv = tiny_run.options(place, place / "out", **options, **quick)
    environment = hub.environment(place / "home", "hf_write", PYTHONPATH=str(tiny_run.REPOSITORY), OMP_NUM_THREADS="1")
    command = [sys.executable, str(tiny_run.REPOSITORY / "examples" / "run_csr.py"), *argv]
    result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return place / "home"


def test_run_ends_with_a_space_of_its_last_stage(hub: Any, published: Path) -> None:
    assert hub.repositories["spaces/org/csr-space"].card_data()["models"] == ["org/csr", "org/csr-emotion-encoder"]
    (collection,) = [made for made in hub.collections if made.title == "csr: all stages"]
    assert [item["id"] for item in collection.items if item["type"] == "space"] == ["org/csr-space"]


# -- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="drives the browser: pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        # In a container, as root, Chromium has no sandbox to run in.
        running = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(browser: Any, hub: Any, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Space, run as the Hub would: its own files, the models from the Hub, and this package nowhere."""
    pytest.importorskip("gradio", reason="the page needs gradio: pip install --editable '.[space]'")
    folder = tmp_path_factory.mktemp("space")
    for name, content in hub.repositories["spaces/org/csr-space"].files().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    # Without `site` (-S) no hook of an editable installation runs.
    libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    environment = hub.environment(folder / "home", PYTHONPATH=os.pathsep.join(libraries), OMP_NUM_THREADS="1")
    process = subprocess.Popen(
        [sys.executable, "-S", "-u", "app.py"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "http://127.0.0.1:" in line:
                yield line.split()[-1]
                break
        else:
            pytest.fail(f"The page did not start: {said}")
    finally:
        process.terminate()
        process.wait()


def contents(page: Any, selector: str) -> list[str]:
    return page.eval_on_selector_all(selector, "found => found.map(element => element.innerText.trim())")


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 740)])
def test_keyboard_alone_is_enough(width: int, height: int, browser: Any, address: str) -> None:
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(90_000)
    dialogs, failures = [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#text textarea:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("#status .problem")
    assert contents(page, "#status") == ["There is nothing to read yet: write a few words, then press Enter."]

    text = f"so happy {HOSTILE}"
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_selector("#status .done")
    assert contents(page, ".model h2") == ["org/csr", "org/csr-emotion-encoder"]
    for position in range(2):
        model = page.locator(".model").nth(position)
        rows = [row.replace("✓", "").split() for row in model.locator("table.bars tbody tr").all_inner_texts()]
        assert sorted(row[-5] for row in rows) == LABELS  # then the probability and the threshold
        assert {tuple(row[-2:]) for row in rows} == {("50", "%")}
        assert model.locator(".posts li").count() == 5
        shown = "element => { element.querySelectorAll('sub').forEach(e => e.remove()); return element.textContent }"
        assert model.locator(".words").evaluate(f"element => ({shown})(element.cloneNode(true))") == text

    boxes = [page.locator(".model").nth(position).bounding_box() for position in range(2)]
    assert (boxes[0]["y"] == boxes[1]["y"]) == (width > 600)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = "all => all.map(element => element.getBoundingClientRect().right)"
    assert max(page.eval_on_selector_all(".model table, .model .words, .model .posts", inside)) <= width

    # From the text to the choice of a label, by Tab.
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Label (org/csr)":
            break
    before = page.input_value("[aria-label='Label (org/csr)']")
    page.keyboard.press("ArrowUp" if before == LABELS[-1] else "ArrowDown")
    page.keyboard.press("Enter")
    chosen = LABELS[LABELS.index(before) + (-1 if before == LABELS[-1] else 1)]
    page.wait_for_function("label => document.querySelector('.words + .note em').innerText === label", arg=chosen)
    assert page.input_value("[aria-label='Label (org/csr)']") == chosen
    assert dialogs == [] and failures == []
