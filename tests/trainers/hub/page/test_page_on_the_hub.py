"""The page on the Hub: one commit as a Space, and used there in a browser."""

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, RepoCard, constants

from tests.helpers import fresh_process, hub_server, tiny_run
from tests.helpers.page_server import running_page
from trainers.commands.parser import parse_run_arguments
from trainers.data import BUNDLED_POSTS
from trainers.hub.space import push_space

SPACE = tiny_run.REPOSITORY / "trainers" / "hub" / "page"
POSTS = [BUNDLED_POSTS / "emotion" / name for name in ("dev.jsonl", "test.jsonl")]
# The parts import each other by their plain names, as on the Hub.
sys.path.append(str(SPACE))
attribution, classifier, markup, neighbours = map(
    importlib.import_module, ("attribution", "classifier", "markup", "neighbours")
)

sys.path.remove(str(SPACE))

LABELS = list(tiny_run.EMOTIONS)
HOSTILE = '<img src=x onerror="alert(1)"> ${alert(2)} {{value}}'


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
    push_space(api, "org/page", "org/model", "org/other", private=True, posts=POSTS)
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
    push_space(api, "org/page", "org/model", "org/other", posts=POSTS)
    assert len(space.commits) == 2
    push_space(api, "org/page", "org/model", posts=POSTS)
    assert len(space.commits) == 3 and space.card_data()["models"] == ["org/model"]


def test_space_keeps_the_card_that_people_changed(hub: Any, api: HfApi) -> None:
    push_space(api, "org/changed", "org/model", "org/other", posts=POSTS)
    space = hub.repositories["spaces/org/changed"]
    card = RepoCard(space.files()["README.md"].decode("utf-8"))
    card.data["title"], card.data["sdk_version"] = "Moods of my readers", "5.0.0"
    card.text += "\nAsk me about it.\n"
    changed = CommitOperationAdd("README.md", str(card).encode("utf-8"))
    api.create_commit("org/changed", [changed], commit_message="My own words", repo_type="space")
    push_space(api, "org/changed", "org/newer", posts=POSTS)
    data = space.card_data()
    assert (data["title"], data["models"]) == ("Moods of my readers", ["org/newer"])
    assert space.files()["README.md"].endswith(b"\nAsk me about it.\n")
    # What the page runs on goes with its code.
    assert data["sdk_version"].startswith("6.")


def test_space_card_that_cannot_be_read_is_kept_beside(hub: Any, api: HfApi) -> None:
    push_space(api, "org/odd", "org/model", posts=POSTS)
    theirs = b"---\n1: x\nsdk: gradio\n---\nMy own words.\n"
    changed = CommitOperationAdd("README.md", theirs)
    api.create_commit("org/odd", [changed], commit_message="My own words", repo_type="space")
    push_space(api, "org/odd", "org/model", posts=POSTS)
    space = hub.repositories["spaces/org/odd"]
    assert space.card_data()["models"] == ["org/model"] and space.files()["README.previous.md"] == theirs


def test_space_without_a_card_gets_one(hub: Any, api: HfApi) -> None:
    push_space(api, "org/bare", "org/model", posts=POSTS)
    removal = CommitOperationDelete("README.md")
    api.create_commit("org/bare", [removal], commit_message="No card", repo_type="space")
    push_space(api, "org/bare", "org/model", posts=POSTS)
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
    result = fresh_process.run(tiny_run.REPOSITORY / "examples" / "run_csr.py", *argv, env=environment)
    assert result.returncode == 0, result.stderr
    return place / "home"


def test_run_ends_with_a_space_of_its_last_stage(hub: Any, published: Path) -> None:
    assert hub.repositories["spaces/org/csr-space"].card_data()["models"] == ["org/csr", "org/csr-emotion-encoder"]
    (collection,) = [made for made in hub.collections if made.title == "csr: all stages"]
    assert [item["id"] for item in collection.items if item["type"] == "space"] == ["org/csr-space"]


# -- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(browser: Any, hub: Any, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Space, run as the Hub would: its own files, the models from the Hub, and this package nowhere."""
    folder = tmp_path_factory.mktemp("space")
    for name, content in hub.repositories["spaces/org/csr-space"].files().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    # Without `site` (-S) no hook of an editable installation runs.
    libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    environment = hub.environment(folder / "home", PYTHONPATH=os.pathsep.join(libraries), OMP_NUM_THREADS="1")
    with running_page("-S", "app.py", cwd=folder, env=environment) as found:
        yield found


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
