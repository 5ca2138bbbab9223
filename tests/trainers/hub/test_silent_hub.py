"""A Hub that accepts connections and says nothing is not waited for, whichever way the client asks."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from huggingface_hub import HfApi, constants, get_session
from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import close_session

from trainers.hub.retries import patiently


@pytest.fixture
def silent_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def get(url: str) -> Any:
    return get_session().get(url)


def get_with_a_new_client(url: str) -> Any:
    """As huggingface_hub does after a refused connection."""
    close_session()
    return get_session().get(url)


def repo_info(url: str) -> Any:
    """This request overrides the timeout of its client with none."""
    return HfApi(endpoint=url).repo_info("org/csr")


@pytest.mark.parametrize("ask", [get, get_with_a_new_client, repo_info])
def test_silence_ends(ask: Callable[[str], Any], silent_url: str) -> None:
    with pytest.raises(HTTPError, match="timed out"):
        patiently(lambda: ask(silent_url), "org/csr", 0.5)


def test_other_requests_stay_as_they_are(hub: Any, connect: Callable[..., HfApi]) -> None:
    connect(hub)

    def limits(**options: Any) -> set[float | None]:
        return set(get_session().get(hub.url, **options).request.extensions["timeout"].values())

    assert limits() == {None}
    assert patiently(limits, "org/csr", 30) == {30} and patiently(lambda: limits(timeout=7), "org/csr", 30) == {7}
    assert limits() == {None}


def test_offline_mode_does_not_pass(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(OfflineModeIsEnabled):
        patiently(lambda: HfApi(token="hf_x").whoami(), "org/csr", 5)
    assert "Trying again" not in caplog.text
