"""A small Hugging Face Hub on loopback, for the real `huggingface_hub` and `transformers` to talk to.

    with HubServer({"hf_me": Token("me", organisations={"org": "admin"})}) as hub:
        subprocess.run([...], env=hub.environment(tmp_path, token="hf_me"))
        assert hub.repositories["org/name"].files()["config.json"] == ...

Clients run in processes of their own, since HF_ENDPOINT is read when `huggingface_hub` is imported.
"""

import json
import os
import re
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.helpers.hub_collections import CollectionEndpoints
from tests.helpers.hub_files import FileEndpoints
from tests.helpers.hub_http import JSON, MESSAGES, Answer, Fault, Handler, Request, Server
from tests.helpers.hub_repositories import RepositoryEndpoints
from tests.helpers.hub_storage import HubError, Repository, Token

__all__ = ["Answer", "HubServer", "Token"]

# The first name that does not lead further is taken, so `org/name` and the names without an organisation both work.
NAME = r"(?P<name>[^/]+(?:/[^/]+)?)"
API = rf"/api/(?P<kind>models|datasets|spaces)/{NAME}"
FILES = rf"/(?:(?P<kind>datasets|spaces)/)?{NAME}"
COLLECTION = r"/api/collections/(?P<slug>[^/]+/[^/]+)"
REVISION = r"(?P<revision>[^/]+)"


class HubServer(RepositoryEndpoints, FileEndpoints, CollectionEndpoints):
    """Serves what `hub_storage` keeps, at `url` from `start()` to `stop()`. Stopped and started again, it has the same
    port and all that it had.

    Args:
        tokens: Access tokens and what they stand for.
        organisations: Organisations that exist besides those of the tokens.

    Attributes:
        repositories: By name: `org/name` for models, `datasets/org/name`, `spaces/org/name`.
        collections: In the order in which they were made.
        requests: All that came in, cut connections included. (Each client process first asks for /api/agent-harnesses,
            which is not there.)
    """

    def __init__(self, tokens: dict[str, Token] | None = None, organisations: tuple[str, ...] = ()) -> None:
        super().__init__(tokens, organisations)
        self.requests: list[Request] = []
        self._faults: list[Fault] = []
        self._lock = threading.RLock()
        self._server: Server | None = None

    def start(self) -> "HubServer":
        handler = type("Handler", (Handler,), {"hub": self})
        self._server = Server(("127.0.0.1", self._port), handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Be away: connections are refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> "HubServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self, home: Path, token: str | None = None, **changes: str) -> dict[str, str]:
        """The environment of a client with its cache in a folder.

        This Hub has no Xet storage. A client with `hf_xet` would use it for every file that is not "regular" and cannot
        be told otherwise by the server, hence HF_HUB_DISABLE_XET.
        """
        gone = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HF_ENDPOINT")
        return (
            {name: value for name, value in os.environ.items() if name not in gone}
            | {"HF_ENDPOINT": self.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
            | ({"HF_TOKEN": token} if token else {})
            | changes
        )

    def add_model(self, name: str = "org/tiny", private: bool = False) -> Any:
        """A new repository, as if somebody had created it."""
        self.repositories[name] = Repository("model", name, "me", private)
        return self.repositories[name]

    def fail(
        self,
        path: str,
        status: int = 500,
        *,
        method: str | None = None,
        times: int = 1,
        after: int = 0,
        headers: dict[str, str] | None = None,
        message: str | None = None,
        drop: bool = False,
        swallow: bool = False,
    ) -> None:
        """Let requests fail. Faults on the same path come one after the other, in the order of these calls.

        Args:
            path: A regular expression to be found in the path, as in `Request.path`.
            status: What to answer.
            times: How many requests fail; -1 for all.
            after: How many are let pass first.
            drop: Cut the connection in the middle of the request instead of answering.
            swallow: Do what is asked, and cut the connection instead of answering.
        """
        message = message or MESSAGES.get(status, "Error")
        fault = Fault(re.compile(path), method, status, headers or {}, message, after, times, drop, swallow)
        self._faults.append(fault)

    def mend(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def asked(self, path: str, method: str | None = None) -> list[Request]:
        """The requests so far with a regular expression in their path."""
        return [
            request for request in self.requests if re.search(path, request.path) and method in (None, request.method)
        ]

    def fault(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, if any."""
        with self._lock:
            return next((fault for fault in self._faults if fault.strikes(method, path)), None)

    def answer(self, request: Request) -> Answer:
        """Carry a request out, or leave all as it was and answer with an error."""
        with self._lock:
            try:
                result = self._route(request)(request)
            except HubError as error:
                code = {"X-Error-Code": error.code} if error.code else {}
                body = {"error": error.message, **error.body}
                message = {"X-Error-Message": error.message.split("\n")[0].encode("ascii", "replace").decode()}
                return Answer(json.dumps(body).encode(), error.status, code | message | JSON | error.headers)
            except Exception:  # a mistake here or in the request: 501 is not retried, and the client shows the text
                return Answer(json.dumps({"error": traceback.format_exc()}).encode(), 501, dict(JSON))
        return result if isinstance(result, Answer) else Answer(json.dumps(result).encode(), 200, dict(JSON))

    def _route(self, request: Request) -> Callable[[Request], Any]:
        authorization = request.headers.get("authorization", "")
        if authorization:
            request.token = self.tokens.get(authorization.removeprefix("Bearer "))
            if request.token is None:
                raise HubError(401, "Invalid credentials in Authorization header")
        for method, pattern, handler in ROUTES:
            match = pattern.fullmatch(request.path)
            if match and request.method in method:
                request.values = {key: unquote(value) for key, value in match.groupdict().items() if value}
                return partial(handler, self)
        raise HubError(404, f"Sorry, we can't find {request.path}")


ROUTES = [
    (methods.split(), re.compile(pattern), handler)
    for methods, pattern, handler in [
        ("GET", r"/api/whoami-v2", HubServer.whoami),
        ("GET", r"/api/organizations/(?P<owner>[^/]+)/overview", HubServer.organisation),
        ("POST", r"/api/repos/create", HubServer.create_repo),
        ("DELETE", r"/api/repos/delete", HubServer.delete_repo),
        ("POST", r"/api/validate-yaml", HubServer.validate_yaml),
        ("GET", r"/api/collections", HubServer.list_collections),
        ("POST", r"/api/collections", HubServer.create_collection),
        ("GET", COLLECTION, HubServer.get_collection),
        ("PATCH", COLLECTION, HubServer.update_collection),
        ("DELETE", COLLECTION, HubServer.delete_collection),
        ("POST", COLLECTION + r"/items", HubServer.add_collection_item),
        ("PATCH", COLLECTION + r"/items/(?P<item>[^/]+)", HubServer.update_collection_item),
        ("DELETE", COLLECTION + r"/items/(?P<item>[^/]+)", HubServer.delete_collection_item),
        ("PUT", API + r"/settings", HubServer.settings),
        ("GET", API + rf"/revision/{REVISION}", HubServer.info),
        ("GET", API + rf"/tree/{REVISION}(?:/(?P<path>.+))?", HubServer.tree),
        ("POST", API + rf"/paths-info/{REVISION}", HubServer.paths_info),
        ("GET", API + rf"/commits/{REVISION}", HubServer.commits),
        ("GET", API + r"/refs", HubServer.refs),
        ("POST", API + r"/branch/(?P<ref>[^/]+)", HubServer.create_branch),
        ("DELETE", API + r"/branch/(?P<ref>[^/]+)", HubServer.delete_branch),
        ("POST", API + r"/tag/(?P<ref>[^/]+)", HubServer.create_tag),
        ("DELETE", API + r"/tag/(?P<ref>[^/]+)", HubServer.delete_tag),
        ("POST", API + rf"/preupload/{REVISION}", HubServer.preupload),
        ("POST", API + rf"/commit/{REVISION}", HubServer.commit),
        ("GET", API, HubServer.info),
        ("GET HEAD", FILES + rf"/resolve/{REVISION}/(?P<path>.+)", HubServer.resolve),
        ("POST", FILES + r"\.git/info/lfs/objects/batch", HubServer.lfs_batch),
        ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})", HubServer.lfs_upload),
        ("POST", r"/lfs/(?P<oid>[0-9a-f]{64})/verify", HubServer.lfs_verify),
    ]
]
