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
from urllib.parse import parse_qs, unquote

from tests.helpers import hub_http as http
from tests.helpers import hub_storage as storage

HubError, Token = storage.HubError, storage.Token
Answer, Fault, Request, JSON = http.Answer, http.Fault, http.Request, http.JSON

KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}
# The first name that does not lead further is taken, so `org/name` and the names without an organisation both work.
NAME = r"(?P<name>[^/]+(?:/[^/]+)?)"
API = rf"/api/(?P<kind>models|datasets|spaces)/{NAME}"
FILES = rf"/(?:(?P<kind>datasets|spaces)/)?{NAME}"
COLLECTION = r"/api/collections/(?P<slug>[^/]+/[^/]+)"
REVISION = r"(?P<revision>[^/]+)"


class HubServer:
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
        self.tokens = tokens or {"hf_write": Token("me", organisations={"org": "admin"})}
        self.organisations = {*organisations, *(name for token in self.tokens.values() for name in token.organisations)}
        self.repositories: dict[str, Any] = {}
        self.collections: list[Any] = []
        self.lfs_objects: dict[str, bytes] = {}
        self.requests: list[Request] = []
        self._faults: list[Fault] = []
        self._lock = threading.RLock()
        self._server: http.Server | None = None
        self._port = 0

    # Running ----------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> "HubServer":
        handler = type("Handler", (http.Handler,), {"hub": self})
        self._server = http.Server(("127.0.0.1", self._port), handler)
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
        self.repositories[name] = storage.Repository("model", name, "me", private)
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
        message = message or http.MESSAGES.get(status, "Error")
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

    # Rights -----------------------------------------------------------------------------------------------------------

    def _key(self, kind: str, name: str) -> str:
        return name if kind == "models" else f"{kind}/{name}"

    def _readable(self, request: Request) -> Any:
        """The repository that a request is about."""
        name = request.values["name"]
        repository = self.repositories.get(self._key(request.values.get("kind", "models"), name))
        token = request.token
        if repository is None or (repository.private and not (token and token.may("repo.content.read", name))):
            # Whether a private repository is there is not told. Nobody in particular gets a 401, as on the Hub.
            status, message = (404, "Repository not found") if token else (401, "Invalid username or password.")
            raise HubError(status, message, "RepoNotFound")
        return repository

    def _writable(self, request: Request) -> Any:
        repository = self._readable(request)
        self._demand(request, "repo.write", repository.name)
        return repository

    def _demand(self, request: Request, permission: str, name: str) -> None:
        if request.token is None:
            raise HubError(401, "Invalid username or password.")
        if not request.token.may(permission, name):
            raise HubError(403, f"You don't have the rights to write to {name}: {permission} is missing")

    # Users ------------------------------------------------------------------------------------------------------------

    def whoami(self, request: Request) -> Any:
        token = request.token
        if token is None:
            raise HubError(401, "Invalid username or password.")
        access: dict[str, Any] = {"displayName": "test", "role": token.role, "createdAt": storage.now()}
        if token.role == "fineGrained":
            scoped = [
                {"entity": {"_id": name, "type": self._entity(name), "name": name}, "permissions": list(permissions)}
                for name, permissions in token.scopes.items()
            ]
            access["fineGrained"] = {"canReadGatedRepos": True, "global": [], "scoped": scoped}
        return {
            "type": "user",
            "name": token.user,
            "fullname": token.user,
            "orgs": [
                {"type": "org", "name": name, "fullname": name, "roleInOrg": role}
                for name, role in token.organisations.items()
            ],
            "auth": {"type": "access_token", "accessToken": access},
        }

    def _entity(self, name: str) -> str:
        if "/" in name:
            return "model"
        return "org" if name in self.organisations else "user"

    def organisation(self, request: Request) -> Any:
        name = request.values["owner"]
        if name not in self.organisations:
            raise HubError(404, "This organization does not exist")
        return {"name": name, "fullname": name, "avatarUrl": "", "numUsers": 1}

    # Repositories -----------------------------------------------------------------------------------------------------

    def create_repo(self, request: Request) -> Any:
        payload = request.json()
        kind = payload.get("type") or "model"
        namespace = payload.get("organization") or (request.token.user if request.token else "")
        name = f"{namespace}/{payload['name']}"
        key = self._key(f"{kind}s", name)
        self._demand(request, "repo.write", name)
        url = f"{self.url}/{key}"
        if key in self.repositories:
            raise HubError(409, f"You already created this {kind} repo", url=url)
        private = payload.get("visibility") == "private" or payload.get("private", False)
        author = request.token.user
        self.repositories[key] = storage.Repository(kind, name, author, private, payload.get("sdk"))
        return {"url": url, "name": name}

    def delete_repo(self, request: Request) -> Any:
        payload = request.json()
        namespace = payload.get("organization") or (request.token.user if request.token else "")
        kind = f"{payload.get('type') or 'model'}s"
        request.values = {"kind": kind, "name": f"{namespace}/{payload['name']}"}
        del self.repositories[self._key(kind, self._writable(request).name)]
        return Answer(b"OK")

    def settings(self, request: Request) -> Any:
        repository, payload = self._writable(request), request.json()
        if "visibility" in payload or "private" in payload:
            repository.private = payload.get("visibility") == "private" or payload.get("private", False)
        repository.gated = payload.get("gated", repository.gated)
        return {"private": repository.private, "gated": repository.gated}

    def info(self, request: Request) -> Any:
        return self._readable(request).info(request.values.get("revision", "main"), "blobs" in request.query)

    def tree(self, request: Request) -> Any:
        commit = self._readable(request).resolve(request.values["revision"])
        return commit.tree(request.values.get("path", ""), request.query.get("recursive", [""])[0].lower() == "true")

    def paths_info(self, request: Request) -> Any:
        commit = self._readable(request).resolve(request.values["revision"])
        paths = parse_qs(request.body.decode())["paths"]
        folders = [entry for entry in commit.tree() if entry["type"] == "directory" and entry["path"] in paths]
        return [commit.files[path].entry(path) for path in paths if path in commit.files] + folders

    def commits(self, request: Request) -> Any:
        return [
            {
                "id": commit.oid,
                "title": commit.title,
                "message": commit.description,
                "authors": [{"user": commit.author}],
                "date": commit.date,
            }
            for commit in self._readable(request).history(request.values["revision"])
        ]

    def refs(self, request: Request) -> Any:
        repository = self._readable(request)

        def listed(refs: dict[str, str], folder: str) -> list[dict[str, str]]:
            return [{"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": oid} for name, oid in refs.items()]

        branches, tags = listed(repository.branches, "heads"), listed(repository.tags, "tags")
        return {"branches": branches, "tags": tags, "converts": [], "pullRequests": []}

    def create_branch(self, request: Request) -> Any:
        repository, name = self._writable(request), request.values["ref"]
        if name in repository.branches:
            raise HubError(409, f"Reference already exists: refs/heads/{name}")
        repository.branches[name] = repository.resolve(request.json().get("startingPoint", "main")).oid
        return {}

    def create_tag(self, request: Request) -> Any:
        repository, name = self._writable(request), request.json()["tag"]
        if name in repository.tags:
            raise HubError(409, f"Tag reference exists already: refs/tags/{name}")
        repository.tags[name] = repository.resolve(request.values["ref"]).oid
        return {}

    def delete_branch(self, request: Request) -> Any:
        repository, name = self._writable(request), request.values["ref"]
        if name == "main":
            raise HubError(403, "Cannot delete refs/heads/main")
        return self._delete_ref(repository.branches, name)

    def delete_tag(self, request: Request) -> Any:
        return self._delete_ref(self._writable(request).tags, request.values["ref"])

    def _delete_ref(self, refs: dict[str, str], name: str) -> Any:
        if name not in refs:
            raise HubError(404, f"Reference does not exist: {name}", "RevisionNotFound")
        del refs[name]
        return {}

    # Files ------------------------------------------------------------------------------------------------------------

    def resolve(self, request: Request) -> Any:
        repository, path = self._readable(request), request.values["path"]
        commit = repository.resolve(request.values["revision"])
        headers = {"X-Repo-Commit": commit.oid}
        if repository.gated and not (request.token and request.token.may("repo.content.read", repository.name)):
            raise HubError(403 if request.token else 401, f"Access to {repository.kind} is restricted", "GatedRepo")
        if path not in commit.files:
            error = HubError(404, "Entry not found", "EntryNotFound")
            error.headers |= headers  # from which the client caches that there is no such file
            raise error
        file = commit.files[path]
        headers |= {"ETag": f'"{file.etag}"', "Content-Type": "application/octet-stream"}
        if file.lfs:
            headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(len(file.content))}
        return Answer(file.content, headers=headers)

    def validate_yaml(self, request: Request) -> Any:
        payload = request.json()
        errors, warnings = storage.check_card(payload["content"], payload["repoType"])
        found = {
            "errors": [{"message": message} for message in errors],
            "warnings": [{"message": message} for message in warnings],
        }
        return Answer(json.dumps(found).encode(), 400 if errors else 200, dict(JSON))

    def preupload(self, request: Request) -> Any:
        repository = self._writable(request)
        revision = request.values["revision"]
        files = request.json()["files"]
        return {"files": [repository.upload_mode(revision, file["path"], file["size"]) for file in files]}

    def commit(self, request: Request) -> Any:
        repository = self._writable(request)
        lines = [json.loads(line) for line in request.body.splitlines() if line]
        commit = repository.commit(request.values["revision"], lines, request.token.user, self.lfs_objects)
        url = f"{self.url}/{self._key(request.values['kind'], repository.name)}/commit/{commit.oid}"
        return {"success": True, "commitOid": commit.oid, "commitUrl": url}

    def lfs_batch(self, request: Request) -> Any:
        self._writable(request)
        objects = []
        for item in request.json()["objects"]:
            oid, size = item["oid"], item["size"]
            actions = {"upload": {"href": f"{self.url}/lfs/{oid}"}, "verify": {"href": f"{self.url}/lfs/{oid}/verify"}}
            objects.append({"oid": oid, "size": size} | ({} if oid in self.lfs_objects else {"actions": actions}))
        return {"transfer": "basic", "objects": objects}

    def lfs_upload(self, request: Request) -> Any:
        if storage.File(request.body).sha256 != request.values["oid"]:
            raise HubError(400, "The content does not match its SHA-256")
        self.lfs_objects[request.values["oid"]] = request.body
        return Answer()

    def lfs_verify(self, request: Request) -> Any:
        if len(self.lfs_objects.get(request.values["oid"], b"")) != request.json()["size"]:
            raise HubError(404, "LFS object not found")
        return {}

    # Collections ------------------------------------------------------------------------------------------------------

    def _collection(self, request: Request, write: bool = True) -> Any:
        token = request.token
        for collection in self.collections:
            if collection.id == request.values["slug"].rsplit("-", 1)[-1]:
                if write:
                    self._demand(request, "collection.write", collection.namespace)
                elif collection.private and not (token and token.may("collection.read", collection.namespace)):
                    break
                return collection
        raise HubError(404, "Collection not found")

    def _shown(self, collection: Any) -> dict[str, Any]:
        return collection.as_json() | {"position": self.collections.index(collection)}  # in a list the client counts

    def list_collections(self, request: Request) -> Any:
        owners, item = request.query.get("owner", []), request.query.get("item", [""])[0]
        return [
            collection.as_json() | {"items": collection.items[:4]}  # a list shows no more of each
            for collection in self.collections
            if (not owners or collection.namespace in owners)
            and (not item or item in [f"{entry['type']}s/{entry['id']}" for entry in collection.items])
            and (
                not collection.private or (request.token and request.token.may("collection.read", collection.namespace))
            )
        ]

    def create_collection(self, request: Request) -> Any:
        payload = request.json()
        namespace = payload["namespace"]
        self._demand(request, "collection.write", namespace)
        for collection in self.collections:
            if (collection.namespace, collection.title) == (namespace, payload["title"]):
                raise HubError(409, "This collection already exists", slug=collection.slug)
        new = storage.Collection(namespace, payload["title"], payload.get("description"), payload.get("private", False))
        self.collections.append(new)
        return self._shown(new)

    def get_collection(self, request: Request) -> Any:
        return self._shown(self._collection(request, write=False))

    def update_collection(self, request: Request) -> Any:
        collection = self._collection(request)
        collection.update(**request.json())
        return {"success": True, "data": self._shown(collection)}

    def delete_collection(self, request: Request) -> Any:
        self.collections.remove(self._collection(request))
        return {"success": True}

    def add_collection_item(self, request: Request) -> Any:
        collection, payload = self._collection(request), request.json()
        item = payload["item"]
        if item["type"] in KINDS.values() and self._key(f"{item['type']}s", item["id"]) not in self.repositories:
            raise HubError(404, f"{item['type']} {item['id']} not found")
        collection.add(item["type"], item["id"], payload.get("note"))
        return self._shown(collection)

    def update_collection_item(self, request: Request) -> Any:
        self._collection(request).annotate(request.values["item"], request.json().get("note"))
        return {"success": True}

    def delete_collection_item(self, request: Request) -> Any:
        collection = self._collection(request)
        collection.items.remove(collection.item(request.values["item"]))
        return {"success": True}


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
