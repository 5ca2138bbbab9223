"""A Hub on loopback with its real client in this process, for the tests of pushes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tenacity
from huggingface_hub import HfApi, constants

from tests.helpers import hub_server
from tests.helpers.published_stage import FILES, LEFT_AT_HOME
from trainers.hub.publisher import StagePublisher
from trainers.hub.repositories import HubRepositories

TOKEN = "hf_0nlyItsOwnerKnows"


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., HfApi]:
    """`connect(server, token)`: the real client of a Hub on loopback, in this process.

    huggingface_hub reads its environment when it is imported, which is too late here.
    """

    def client(server: SimpleNamespace, token: str | None = None) -> HfApi:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + template)
        return HfApi(endpoint=server.url, token=token)

    return client


@pytest.fixture
def hub() -> Iterator[Any]:
    class InterruptedServer(hub_server.HubServer):
        """By part of a path, what happens just before the first such request is answered, or instead of it."""

        interruptions: list[tuple[str, Callable[[], Any]]] = []

        def answer(self, request: Any) -> Any:
            for entry in list(self.interruptions):
                if entry[0] in request.path:
                    self.interruptions.remove(entry)
                    answer = entry[1]()
                    if answer is not None:
                        return answer
            return super().answer(request)

    with InterruptedServer({TOKEN: hub_server.Token("me", organisations={"org": "admin"})}) as server:
        server.interruptions = []
        yield server


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two attempts a twentieth of the seconds pass that were asked for."""
    monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 20)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "csr"
    for name, content in (FILES | LEFT_AT_HOME).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def publisher(hub: Any, connect: Callable[..., HfApi]) -> Callable[..., StagePublisher]:
    def make(**options: Any) -> StagePublisher:
        repositories = HubRepositories("org/csr", "csr", ("siamese",))
        return StagePublisher(connect(hub, TOKEN), repositories, **{"patience": 60.0} | options)

    return make
