"""Folders that hold no whole model are not published, and files elsewhere are neither read nor written."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import hub_storage
from tests.helpers.card_parts import card, saved
from tests.helpers.published_stage import FILES
from trainers.hub.publisher import PublishingError, StagePublisher
from trainers.hub.space import PAGE, PAGE_FILES


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "README.md"])
def test_link_in_place_of_a_needed_file(
    name: str, hub: Any, publisher: Callable[..., StagePublisher], folder: Path, tmp_path: Path
) -> None:
    moved = (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(moved)
    with pytest.raises(PublishingError, match=rf"^org/csr could not be published: .* has no {name}\. Links are not"):
        publisher().publish("csr", folder, "first")
    assert not hub.repositories


def test_link_in_place_of_a_card_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("My own words.")
    (tmp_path / "README.md").symlink_to(tmp_path / "mine.md")
    saved(card(), tmp_path)
    assert (tmp_path / "mine.md").read_text() == "My own words." and not (tmp_path / "README.md").is_symlink()


def test_card_that_the_hub_refuses_is_kept_beside(
    hub: Any, publisher: Callable[..., StagePublisher], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher().publish("csr", folder, "first")
    content = b"---\nbase_model: /my/encoder\n---\nMine.\n"
    value = {"path": "README.md", "content": base64.b64encode(content).decode(), "encoding": "base64"}
    lines = [{"key": "header", "value": {"summary": "By hand"}}, {"key": "file", "value": value}]
    with monkeypatch.context() as changed:
        # The Hub takes such a card from git.
        changed.setattr(hub_storage, "check_card", lambda content, kind: ([], []))
        hub.repositories["org/csr"].commit("main", lines, "somebody", {})
    publisher().publish("csr", folder, "second")
    found = hub.repositories["org/csr"].files()
    assert found["README.previous.md"] == content and found["README.md"] == FILES["README.md"]


def test_page_is_complete() -> None:
    assert {path.name for path in PAGE.iterdir() if path.is_file()} == {*PAGE_FILES, "README.md"}
