"""The Hub on loopback when things go wrong: what the real client tries again, and what is left of half a request."""

import json
import socket
from collections.abc import Callable
from typing import Any


def test_which_refusals_the_client_tries_again(hub: Any, client: Callable[..., Any]) -> None:
    repository = hub.add_model()
    hub.fail("/preupload/", 429, times=1, headers={"Retry-After": "0"})
    assert client('print(json.dumps(put("text")))') is None
    assert [request.status for request in hub.asked("/preupload/")] == [429, 200]
    assert len(repository.commits) == 2

    # The commit itself is sent once only, whatever the answer.
    statuses = [401, 403, 409, 413, 429, 500, 503]
    for status in statuses:
        hub.fail("/commit/", status, headers={"Retry-After": "0"})
    assert client(f'print(json.dumps([put("new") for _ in {statuses}]))') == [
        ["HfHubHTTPError", status] for status in statuses
    ]
    assert [request.status for request in hub.asked("/commit/")] == [200, *statuses]
    assert len(repository.commits) == 2


def test_connections_that_are_cut(hub: Any, client: Callable[..., Any]) -> None:
    repository = hub.add_model()
    # An upload to LFS is taken up again.
    hub.fail("^/lfs/", method="PUT", drop=True)
    assert client('print(json.dumps(put("1" * 3_000_000, "vectors.npy")))') is None
    assert [request.status for request in hub.asked("^/lfs/", "PUT")] == [None, 200]
    before = repository.files()
    assert before["vectors.npy"] == b"1" * 3_000_000

    # A commit is not, and leaves no trace; unless it was the answer that got lost.
    hub.fail("/commit/", drop=True)
    hub.fail("/commit/", swallow=True)
    first, second = client('print(json.dumps([put("2" * 1_000_000), put("3")]))')
    assert first[0] in ("RemoteProtocolError", "ReadError", "WriteError")
    assert second[0] in ("RemoteProtocolError", "ReadError")
    assert [commit.files.keys() - before.keys() for commit in repository.commits[-2:]] == [set(), {"note.txt"}]
    assert repository.files() == before | {"note.txt": b"3"}

    # An upload that is refused leaves the repository as it was, too.
    hub.fail("^/lfs/", 403, method="PUT")
    assert client('print(json.dumps(put("4" * 1000, "vectors.npy")))') == ["RuntimeError", None]
    assert repository.files()["vectors.npy"] == before["vectors.npy"]


def test_half_a_commit_is_none(hub: Any) -> None:
    repository = hub.add_model()
    items = [
        ("header", {"summary": "Cut"}),
        *(("file", {"path": name, "content": "YQ=="}) for name in ("a.txt", "b.txt")),
    ]
    lines = [json.dumps({"key": key, "value": value}) + "\n" for key, value in items]
    size = len("".join(lines))
    head = "POST /api/models/org/tiny/commit/main HTTP/1.1\r\nAuthorization: Bearer hf_write\r\n"
    for part in ("".join(lines[:-1]), "".join(lines)):
        with socket.create_connection(("127.0.0.1", int(hub.url.rsplit(":", 1)[1]))) as connection:
            connection.sendall(f"{head}Content-Length: {size}\r\n\r\n{part}".encode())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)  # the answer, or the end of the connection
    assert [request.status for request in hub.requests] == [None, 200]
    assert [commit.title for commit in repository.commits] == ["initial commit", "Cut"]


def test_server_that_is_away(hub: Any, client: Callable[..., Any]) -> None:
    hub.add_model()
    url = hub.url
    # Uploads are left out: the client tries for 23 seconds before it gives up.
    code = """
calls = [(api.whoami,), (api.create_repo, "org/new"), (api.model_info, "org/tiny")]
print(json.dumps([outcome(*call) for call in [*calls, (hf_hub_download, "org/tiny", ".gitattributes")]]))
"""
    assert client(code) == [None] * 4
    hub.stop()
    assert client(code) == [["ConnectError", None]] * 3 + [None]  # the file is in the cache
    hub.start()
    assert hub.url == url
    assert client(code) == [None, ["HfHubHTTPError", 409], None, None]
    hub.fail("", 503, times=-1)
    assert client(code) == [["HfHubHTTPError", 503]] * 3 + [None]
    hub.mend()
    hub.fail("whoami", after=1)
    assert [client(code)[0] for _ in range(3)] == [None, ["HfHubHTTPError", 500], None]
