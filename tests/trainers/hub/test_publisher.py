"""Publishing a stage: one commit with all of it, whatever the Hub and people do meanwhile."""

import base64
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from tests.helpers import hub_server
from tests.helpers.published_stage import CARD, FILES
from trainers.hub.publisher import PublishingError, StagePublisher

TOKEN = "hf_0nlyItsOwnerKnows"


@pytest.fixture(autouse=True)
def token_is_not_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    yield
    assert TOKEN not in caplog.text


def files(hub: Any, revision: str = "main", name: str = "org/csr") -> dict[str, bytes]:
    return {path: data for path, data in hub.repositories[name].files(revision).items() if path != ".gitattributes"}


def titles(hub: Any, revision: str = "main") -> list[str]:
    return [commit.title for commit in hub.repositories["org/csr"].history(revision)][::-1]


def edit(hub: Any, content: str, path: str = "README.md") -> None:
    """As a person does it on the Hub's pages."""
    value = {"path": path, "content": base64.b64encode(content.encode()).decode(), "encoding": "base64"}
    lines = [{"key": "header", "value": {"summary": "By hand"}}, {"key": "file", "value": value}]
    hub.repositories["org/csr"].commit("main", lines, "somebody", {})


def card(hub: Any) -> str:
    return files(hub)["README.md"].decode()


# -- what is published ------------------------------------------------------------------------------------------------


def test_one_commit_has_the_whole_stage(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    commit = publisher().publish("csr", folder, "csr of model-3.3", tags=["model-3.3", "best"])
    assert files(hub) == FILES
    assert titles(hub) == ["initial commit", "csr of model-3.3"]
    repository = hub.repositories["org/csr"]
    assert commit == repository.branches["main"]
    assert repository.tags == {"model-3.3": commit, "best": commit}
    assert list(hub.repositories) == ["org/csr"] and not repository.private
    publisher().publish("siamese", folder, "siamese")
    assert files(hub, name="org/csr-siamese") == FILES


def test_unchanged_stage_makes_no_commit(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    first = publisher().publish("csr", folder, "first", tags=["a"])
    uploads = len(hub.asked("^/lfs/", "PUT"))
    assert publisher().publish("csr", folder, "second", tags=["a"]) == first
    assert titles(hub) == ["initial commit", "first"]
    assert len(hub.asked("/commit/", "POST")) == 1 and len(hub.asked("^/lfs/", "PUT")) == uploads
    assert not hub.asked("/tag/", "DELETE")


def test_tag_moves_to_the_new_commit(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    first = publisher().publish("csr", folder, "first", tags=["model-3.3"])
    hub.repositories["org/csr"].tags["paper"] = first
    (folder / "config.json").write_text("{}")
    second = publisher().publish("csr", folder, "second", tags=["model-3.3"])
    assert second != first
    # Other people's tags stay where they are.
    assert hub.repositories["org/csr"].tags == {"model-3.3": second, "paper": first}


def test_unchanged_stage_gets_a_new_tag(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    first = publisher().publish("csr", folder, "first", tags=["bert"])
    publisher().publish("csr", folder, "second", tags=["bert", "model-3.3"])
    assert hub.repositories["org/csr"].tags == {"bert": first, "model-3.3": first}


@pytest.mark.parametrize("private", [True, False, None])
def test_privacy(private: bool | None, hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    publisher(private=private).publish("csr", folder, "first")
    publisher(private=private).collect("Stages", "", {"csr": ""})
    assert hub.repositories["org/csr"].private is bool(private)
    assert hub.collections[0].private is bool(private)
    # What is there is not made public behind anybody's back.
    publisher(private=False).publish("csr", folder, "second")
    assert hub.repositories["org/csr"].private is bool(private)


def test_branch(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    commits = [publisher(revision="next").publish("csr", folder, "first", tags=["a"]) for _ in range(2)]
    repository = hub.repositories["org/csr"]
    assert files(hub, "next") == FILES and not files(hub, "main")
    assert titles(hub, "next") == ["initial commit", "first"] and titles(hub) == ["initial commit"]
    assert commits == [repository.branches["next"]] * 2 and repository.tags == {"a": commits[0]}


# -- what people wrote ------------------------------------------------------------------------------------------------


def test_edits_survive(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    publisher().publish("csr", folder, "first")
    content = (
        card(hub)
        .replace("- emotion\n", "- emotion\n- mine\n")
        .replace("<!-- end of model", "in ours\n<!-- end of model")
    )
    edit(hub, content + "\nMy own words.\n")
    edit(hub, "mine", "notes.md")
    # As long as nothing of ours is new, only what stood in the wrong place makes a commit.
    publisher().publish("csr", folder, "second")
    (folder / "README.md").write_text(CARD.format(scores="new"), encoding="utf-8")
    publisher().publish("csr", folder, "third")
    merged = ModelCard(card(hub))
    assert merged.text.rstrip().endswith("My own words.")
    assert "Scores: new" in merged.text and "first" not in merged.text and "in ours" not in merged.text
    assert merged.data.tags == ["emotion", "mine"]
    assert files(hub)["notes.md"] == b"mine"
    assert titles(hub) == ["initial commit", "first", "By hand", "By hand", "second", "third"]
    # The card on this machine is the generated one.
    assert (folder / "README.md").read_text(encoding="utf-8") == CARD.format(scores="new")


def test_edits_alone_make_no_commit(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    publisher().publish("csr", folder, "first")
    edit(hub, card(hub) + "\nMy own words.\n")
    publisher().publish("csr", folder, "second")
    assert titles(hub) == ["initial commit", "first", "By hand"]


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("moment", ["/preupload/", "/commit/"])
def test_edit_in_the_middle_of_a_push_survives(
    moment: str, hub: Any, publisher: Callable[..., StagePublisher], folder: Path
) -> None:
    publisher().publish("csr", folder, "first")
    (folder / "README.md").write_text(CARD.format(scores="new"), encoding="utf-8")
    hub.interruptions.append((moment, lambda: edit(hub, card(hub) + "\nJust in time.\n")))
    publisher().publish("csr", folder, "second")
    assert [request.status for request in hub.asked("/commit/")] == [200, 412, 200]
    assert titles(hub) == ["initial commit", "first", "By hand", "second"]
    assert "Just in time." in card(hub) and "Scores: new" in card(hub)


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("fault", [{"status": 409}, {"status": 404}])
def test_card_that_cannot_be_read_is_not_overwritten(
    fault: dict[str, Any], hub: Any, publisher: Callable[..., StagePublisher], folder: Path
) -> None:
    """A file that is not there and a Hub that does not answer look alike to the client."""
    publisher().publish("csr", folder, "first")
    edit(hub, card(hub) + "\nMy own words.\n")
    (folder / "README.md").write_text(CARD.format(scores="new"), encoding="utf-8")
    hub.fail("/resolve/.*/README.md", **fault, times=1 if fault["status"] == 409 else -1)
    if fault["status"] == 409:
        publisher().publish("csr", folder, "second")
        assert "Scores: new" in card(hub)
    else:
        with pytest.raises(PublishingError, match="404"):
            publisher().publish("csr", folder, "second")
        assert titles(hub) == ["initial commit", "first", "By hand"]
    assert "My own words." in card(hub)


# -- what passes ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/commit/", {"status": 409}),
        ("/commit/", {"status": 412}),
        ("/commit/", {"status": 500, "times": 2}),
        ("/commit/", {"status": 503}),
        ("/commit/", {"drop": True}),
        ("/commit/", {"swallow": True}),
        ("/repos/create", {"status": 503}),
        ("/api/models/org/csr$", {"status": 500}),
        ("/validate-yaml", {"status": 502}),
        ("/preupload/", {"status": 409}),
        ("^/lfs/", {"drop": True, "method": "PUT"}),
        ("^/lfs/", {"status": 409, "method": "PUT"}),
        ("/refs", {"status": 504}),
        ("/tag/", {"status": 500}),
        ("/tag/", {"swallow": True}),
    ],
    ids=str,
)
def test_fault_that_passes(
    path: str,
    fault: dict[str, Any],
    hub: Any,
    publisher: Callable[..., StagePublisher],
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub.fail(path, **fault)
    commit = publisher().publish("csr", folder, "first", tags=["a"])
    assert files(hub) == FILES
    assert titles(hub) == ["initial commit", "first"]
    assert hub.repositories["org/csr"].tags == {"a": commit}
    if not path.startswith("^/lfs/") or "status" in fault:
        # A dropped upload is repeated by the client itself.
        assert "org/csr: " in caplog.text and "Trying again in 1 s." in caplog.text


def test_waits_as_long_as_the_hub_asks_for(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    hub.fail("/commit/", 429, headers={"Retry-After": "2"})
    started = time.monotonic()
    publisher().publish("csr", folder, "first")
    assert time.monotonic() - started >= 2
    assert [request.status for request in hub.asked("/commit/")] == [429, 200]


@pytest.mark.usefixtures("short_waits")
def test_gateway_that_answers_with_a_page(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    """The client takes it for JSON."""
    hub.interruptions.append(("/validate-yaml", lambda: hub_server.Answer(b"<html>Bad Gateway</html>", 502)))
    publisher().publish("csr", folder, "first")
    assert titles(hub) == ["initial commit", "first"] and files(hub) == FILES


def test_hub_is_away_for_some_seconds(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    mine = publisher()
    hub.stop()
    timer = threading.Timer(2, hub.start)
    timer.start()
    mine.publish("csr", folder, "first", tags=["a"])
    timer.join()
    assert files(hub) == FILES and titles(hub) == ["initial commit", "first"]


# -- what does not pass -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "reason"), [(400, "Bad request"), (401, "401"), (403, "403"), (413, "413")])
@pytest.mark.parametrize("path", ["/commit/", "^/lfs/"])
def test_fault_that_stays(
    path: str, status: int, reason: str, hub: Any, publisher: Callable[..., StagePublisher], folder: Path
) -> None:
    publisher().publish("csr", folder, "first")
    (folder / "model.safetensors").write_bytes(bytes(1000))
    before = files(hub)
    asked = len(hub.asked(path))
    hub.fail(path, status, times=-1)
    with pytest.raises(PublishingError, match=f"^org/csr could not be published: (?s:.*){reason}") as caught:
        publisher().publish("csr", folder, "second")
    # Tried once, and all is as it was.
    assert len(hub.asked(path)) == asked + 1
    assert files(hub) == before and titles(hub) == ["initial commit", "first"]
    assert TOKEN not in str(caught.value)


def test_hub_is_away_for_longer(
    hub: Any, publisher: Callable[..., StagePublisher], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = publisher(patience=2.5)
    hub.stop()
    with pytest.raises(PublishingError, match=r"^org/csr could not be published: .*refused") as caught:
        mine.publish("csr", folder, "first")
    # At once, and a second later; the third time would have come two seconds after that, past its patience.
    assert caplog.text.count("Trying again in") == 1
    assert TOKEN not in str(caught.value)
    hub.start()
    assert not hub.repositories


def test_metadata_that_the_hub_refuses(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    (folder / "README.md").write_text("---\nlicense: apache-2.0\nbase_model: /my/encoder\n---\n", encoding="utf-8")
    with pytest.raises(PublishingError, match=r'^org/csr could not be published: (?s:.*)"base_model" with value "/my'):
        publisher().publish("csr", folder, "first")
    assert titles(hub) == ["initial commit"] and not hub.asked("^/lfs/")


# -- the collection ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short_waits")
def test_collection(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    for stage in ("siamese", "csr"):
        publisher().publish(stage, folder, "first")
    hub.fail("/api/collections", 503)
    hub.fail("/items$", 500, after=1)
    slugs = {publisher().collect("Stages", "All.", {"siamese": "Before", "csr": "Last"}) for _ in range(2)}
    (collection,) = hub.collections
    assert slugs == {collection.slug}
    assert (collection.namespace, collection.title, collection.description) == ("org", "Stages", "All.")
    assert [(item["type"], item["id"], item["note"]["text"]) for item in collection.items] == [
        ("model", "org/csr-siamese", "Before"),
        ("model", "org/csr", "Last"),
    ]


def test_long_titles_are_cut(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    publisher().publish("csr", folder, "first")
    for _ in range(2):
        publisher().collect("t" * 200, "d" * 300, {"csr": "n" * 900})
    (collection,) = hub.collections
    assert set(collection.title) == {"t"} and set(collection.description) == {"d"}
    assert set(collection.items[0]["note"]["text"]) == {"n"}


def test_collection_that_cannot_be_made(hub: Any, publisher: Callable[..., StagePublisher], folder: Path) -> None:
    hub.fail("/api/collections", 403)
    with pytest.raises(PublishingError, match=r"^the collection Stages could not be published: (?s:.*)403"):
        publisher().collect("Stages", "", {})
    assert not hub.collections
