"""A Hub on loopback, and clients of it in processes of their own."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import fresh_process, hub_server

Token = hub_server.Token

TOKENS = {
    "hf_write": Token("me", organisations={"org": "admin"}),
    "hf_read": Token("me", "read", {"org": "admin"}),
    "hf_reader": Token("reader", organisations={"org": "read"}),
    "hf_stranger": Token("stranger"),
    "hf_fine": Token(
        "me", "fineGrained", {"org": "admin"}, {"org/tiny": ("repo.write",), "me": ("repo.content.read",)}
    ),
}

# `outcome(call, ...)` gives None, or the exception's name and the status that the server answered with.
PREAMBLE = """
import json, sys
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download, snapshot_download
api = HfApi()
def outcome(call, *arguments, **keywords):
    try:
        result = call(*arguments, **keywords)
        list(result) if hasattr(result, "__next__") else None
    except Exception as error:
        return [type(error).__name__, getattr(getattr(error, "response", None), "status_code", None)]
def put(text, path="note.txt", repo="org/tiny", **keywords):
    return outcome(api.upload_file, path_or_fileobj=text.encode(), path_in_repo=path, repo_id=repo, **keywords)
"""


@pytest.fixture
def hub() -> Iterator[Any]:
    with hub_server.HubServer(TOKENS, organisations=("elsewhere",)) as server:
        yield server


@pytest.fixture
def client(hub: Any, tmp_path: Path) -> Callable[..., Any]:
    """`client(code, *arguments, token="hf_write", home="home")`: run it in a fresh process; the JSON that it prints."""

    def run(code: str, *arguments: Any, token: str | None = "hf_write", home: str = "home", **changes: str) -> Any:
        environment = hub.environment(tmp_path / home, token, **changes)
        result = fresh_process.run("-c", PREAMBLE + code, *map(str, arguments), env=environment, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run
