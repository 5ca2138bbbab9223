"""What a Hugging Face Hub keeps (repositories with their commits, collections, tokens) and its rules for model cards.

No HTTP here: hub_server.py serves it.
"""

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import cached_property
from typing import Any

import yaml

LFS_SUFFIXES = (
    "7z arrow bin bz2 ckpt gz h5 joblib model msgpack npy npz onnx ot parquet pb pickle pkl pt pth safetensors"
)
GIT_ATTRIBUTES = "".join(f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES.split())
LARGEST_REGULAR_FILE = 10_000_000  # bytes
SPACE_CARD = "---\ntitle: {title}\nemoji: 📚\ncolorFrom: red\ncolorTo: gray\nsdk: {sdk}\n---\n"


class HubError(Exception):
    """An answer other than 200.

    Args:
        code: What the Hub says in X-Error-Code, from which the client makes its exceptions.
        body: Further fields of the JSON.
    """

    def __init__(self, status: int, message: str, code: str | None = None, **body: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.body = status, message, code, body
        self.headers: dict[str, str] = {}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Token:
    """Whom an access token belongs to and what it may do.

    Args:
        role: "read", "write" or "fineGrained".
        organisations: The user's role in each: "admin", "write" or "read".
        scopes: The permissions ("repo.write", "repo.content.read", "collection.write") of a fine-grained token for each
            user, organisation or repository that it is made for.
    """

    user: str
    role: str = "write"
    organisations: dict[str, str] = field(default_factory=dict)
    scopes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def may(self, permission: str, name: str) -> bool:
        """Whether it has a permission for a namespace or for a repository `namespace/name`."""
        namespace = name.split("/")[0]
        reads = permission.endswith(".read")
        if self.role == "fineGrained":
            given = {*self.scopes.get(namespace, ()), *self.scopes.get(name, ())}
            return permission in given or (reads and "repo.write" in given)
        if reads:
            return namespace == self.user or namespace in self.organisations
        return self.role == "write" and (
            namespace == self.user or self.organisations.get(namespace) in ("admin", "write")
        )


@dataclass(frozen=True)
class File:
    """A file of a commit. Of an LFS file git holds a pointer only."""

    content: bytes
    lfs: bool = False

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def _blob(self) -> bytes:
        if not self.lfs:
            return self.content
        size = len(self.content)
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {size}\n".encode()

    @cached_property
    def oid(self) -> str:
        """As `git hash-object` has it."""
        return hashlib.sha1(b"blob %d\0" % len(self._blob) + self._blob).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid

    def entry(self, path: str) -> dict[str, Any]:
        """As the tree and paths-info endpoints list it."""
        entry = {"type": "file", "path": path, "oid": self.oid, "size": len(self.content)}
        if self.lfs:
            entry["lfs"] = {"oid": self.sha256, "size": len(self.content), "pointerSize": len(self._blob)}
        return entry


@dataclass(frozen=True)
class Commit:
    """A whole tree, and how it came about."""

    title: str
    description: str
    author: str
    parent: str | None
    files: dict[str, File]
    date: str = field(default_factory=now)

    @cached_property
    def oid(self) -> str:
        tree = {path: file.oid for path, file in self.files.items()}
        parts = [self.title, self.description, self.author, self.parent, self.date, tree]
        return hashlib.sha1(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def tree(self, folder: str = "", recursive: bool = True) -> list[dict[str, Any]]:
        """The files and folders within a folder."""
        prefix = f"{folder}/" if folder else ""
        entries = {}
        for path, file in self.files.items():
            if path.startswith(prefix):
                parts = path.removeprefix(prefix).split("/")
                for depth in range(1, len(parts)):
                    name = prefix + "/".join(parts[:depth])
                    entries[name] = {"type": "directory", "path": name, "oid": hashlib.sha1(name.encode()).hexdigest()}
                entries[path] = file.entry(path)
        if folder and not entries:
            raise HubError(404, f"{folder} does not exist on {self.oid}", "EntryNotFound")
        return [entries[path] for path in sorted(entries) if recursive or "/" not in path.removeprefix(prefix)]


class Repository:
    """A model, dataset or Space with its commits, from the one that the Hub itself makes on.

    Args:
        kind: "model", "dataset" or "space".
        name: `namespace/name`.
        author: Who makes it.
        sdk: Of a Space.
    """

    def __init__(self, kind: str, name: str, author: str, private: bool = False, sdk: str | None = None) -> None:
        self.kind, self.name, self.private, self.sdk = kind, name, private, sdk
        self.gated: str | bool = False
        self.branches: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self._commits: dict[str, Commit] = {}
        files = {".gitattributes": File(GIT_ATTRIBUTES.encode())}
        if kind == "space":
            files["README.md"] = File(SPACE_CARD.format(title=name.split("/")[-1], sdk=sdk).encode())
        self._add("main", Commit("initial commit", "", author, None, files))

    def _add(self, branch: str, commit: Commit) -> Commit:
        self._commits[commit.oid] = commit
        self.branches[branch] = commit.oid
        return commit

    @property
    def commits(self) -> list[Commit]:
        """Those of `main`, the oldest first."""
        return self.history("main")[::-1]

    def files(self, revision: str = "main") -> dict[str, bytes]:
        return {path: file.content for path, file in self.resolve(revision).files.items()}

    def card_data(self, revision: str = "main") -> dict[str, Any]:
        """The metadata of README.md."""
        return read_card(self.files(revision).get("README.md", b"").decode())

    def resolve(self, revision: str) -> Commit:
        """The commit of a branch, a tag, or an id or the start of one."""
        oid = self.branches.get(revision) or self.tags.get(revision)
        if oid is None and re.fullmatch("[0-9a-f]{7,40}", revision):
            oid = next((oid for oid in self._commits if oid.startswith(revision)), None)
        if oid is None:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self._commits[oid]

    def history(self, revision: str = "main") -> list[Commit]:
        """A commit and those before it, the latest first."""
        commits = [self.resolve(revision)]
        while commits[-1].parent:
            commits.append(self._commits[commits[-1].parent])
        return commits

    def upload_mode(self, revision: str, path: str, size: int) -> dict[str, Any]:
        """Whether a file is to be sent in the commit or to LFS, and what is there already."""
        files = self.resolve(revision).files
        attributes = files[".gitattributes"].content.decode() if ".gitattributes" in files else ""
        patterns = [line.split()[0] for line in attributes.splitlines() if "filter=lfs" in line]
        lfs = size > LARGEST_REGULAR_FILE or any(fnmatch(path, pattern) for pattern in patterns)
        oid = files[path].etag if path in files else None
        return {"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False, "oid": oid}

    def commit(self, branch: str, lines: list[dict[str, Any]], author: str, lfs_objects: dict[str, bytes]) -> Commit:
        """Make a commit, or raise and leave everything as it is.

        Args:
            lines: What the client sends, a header and then the files.
            lfs_objects: What has been uploaded to LFS, by SHA-256.
        """
        header = lines[0]["value"]
        parent = self.resolve(branch)
        if branch not in self.branches:
            raise HubError(400, f"{branch} is no branch")
        if header.get("parentCommit") not in (None, parent.oid):
            raise HubError(412, "A commit has happened since. Please refresh and try again.")
        files = dict(parent.files)
        for line in lines[1:]:
            value, path = line["value"], line["value"]["path"]
            if line["key"] == "file":
                files[path] = File(base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                if value["oid"] not in lfs_objects:
                    raise HubError(400, f"LFS pointer pointed to a file that does not exist: {path}")
                files[path] = File(lfs_objects[value["oid"]], lfs=True)
            else:  # deletedFile, deletedFolder
                doomed = [name for name in files if name == path or name.startswith(path.rstrip("/") + "/")]
                if not doomed:
                    raise HubError(404, "A file with this name doesn't exist", "EntryNotFound")
                for name in doomed:
                    del files[name]
        if "README.md" in files and files["README.md"] is not parent.files.get("README.md"):
            errors, _ = check_card(files["README.md"].content.decode(), self.kind)
            if errors:
                raise HubError(400, "Invalid metadata in README.md.\n" + "\n".join(errors))
        return self._add(branch, Commit(header["summary"], header.get("description", ""), author, parent.oid, files))

    def info(self, revision: str = "main", blobs: bool = False) -> dict[str, Any]:
        """As the model, dataset and Space endpoints tell it.

        Args:
            blobs: Also tell the files' sizes and hashes.
        """
        commit, card = self.resolve(revision), self.card_data(revision)
        siblings: list[dict[str, Any]] = [{"rfilename": path} for path in commit.files]
        for sibling in siblings if blobs else ():
            entry = commit.files[sibling["rfilename"]].entry(sibling["rfilename"])
            sibling |= {"size": entry["size"], "blobId": entry["oid"]}
            if "lfs" in entry:
                sibling["lfs"] = entry["lfs"] | {"sha256": entry["lfs"]["oid"]}
        tags = [card[key] for key in ("library_name", "pipeline_tag") if key in card] + _list(card.get("tags"))
        tags += _list(card.get("language"))
        for key, name in (("license", "license"), ("datasets", "dataset"), ("base_model", "base_model")):
            tags += [f"{name}:{value}" for value in _list(card.get(key))]
        info = {
            "id": self.name,
            "author": self.name.split("/")[0],
            "sha": commit.oid,
            "createdAt": self.commits[0].date,
            "lastModified": commit.date,
            "private": self.private,
            "gated": self.gated,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": list(dict.fromkeys(tags)),
            "cardData": card,
            "siblings": siblings,
        }
        for key, name in (("library_name",) * 2, ("pipeline_tag",) * 2, ("model-index",) * 2, ("widget", "widgetData")):
            if key in card:
                info[name] = card[key]
        return info | ({"sdk": card.get("sdk", self.sdk)} if self.kind == "space" else {})


class Collection:
    """A list of repositories on a page of its own."""

    def __init__(self, namespace: str, title: str, description: str | None = None, private: bool = False) -> None:
        self.id = secrets.token_hex(12)
        self.namespace, self.private, self.updated = namespace, private, now()
        self.items: list[dict[str, Any]] = []
        self.theme = "orange"
        self.update(title=title, description=description)

    @property
    def slug(self) -> str:
        name = re.sub("[^a-z0-9]+", "-", self.title.lower()).strip("-")
        return f"{self.namespace}/{name}-{self.id}"

    def update(self, **values: Any) -> None:
        """Set `title`, `description`, `private` or `theme`."""
        if len(values.get("title") or "") >= 60 or len(values.get("description") or "") > 150:
            raise HubError(400, "A title has fewer than 60 characters, a description at most 150")
        for name in values.keys() & {"title", "description", "private", "theme"}:
            setattr(self, name, values[name])
        self.updated = now()

    def add(self, kind: str, name: str, note: str | None) -> None:
        if any((item["type"], item["id"]) == (kind, name) for item in self.items):
            raise HubError(409, "Item already in collection")
        item = {"_id": secrets.token_hex(12), "type": kind, "id": name, "position": len(self.items)}
        self.items.append(item)
        self.annotate(item["_id"], note)

    def item(self, item_id: str) -> dict[str, Any]:
        for item in self.items:
            if item["_id"] == item_id:
                return item
        raise HubError(404, "Collection item not found")

    def annotate(self, item_id: str, note: str | None) -> None:
        if len(note or "") > 500:
            raise HubError(400, "A note has at most 500 characters")
        if note:
            self.item(item_id)["note"] = {"text": note, "html": note}

    def as_json(self) -> dict[str, Any]:
        return {
            "slug": self.slug,
            "title": self.title,
            "description": self.description,
            "owner": {"name": self.namespace},
            "items": self.items,
            "lastUpdated": self.updated,
            "private": self.private,
            "theme": self.theme,
            "upvotes": 0,
        }


# Cards ----------------------------------------------------------------------------------------------------------------

CARD = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
REPOSITORY_NAME = re.compile(r"([\w-]+/)?(?!\.)[\w.-]+")
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
SDKS = ("gradio", "docker", "static", "streamlit")
LICENSE = re.compile(
    r"apache-2\.0|mit|isc|bsd(-[23]-clause)?|mpl-2\.0|[al]?gpl(-[23]\.[01])?|eupl-1\.[12]|epl-[12]\.0|unlicense|wtfpl|afl-3\.0"
    r"|cc|cc0-1\.0|cc-by(-nc)?(-nd|-sa)?-[234]\.[05]|odbl|odc-by|pddl|ofl-1\.1|openrail(\+\+)?|bigscience-openrail-m"
    r"|creativeml-openrail-m|llama(2|3|3\.[123]|4)|gemma|other|unknown"
)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def read_card(content: str) -> dict[str, Any]:
    """The metadata at the head of a README.md."""
    match = CARD.search(content)
    return (yaml.safe_load(match[1]) if match else None) or {}


def check_card(content: str, kind: str) -> tuple[list[str], list[str]]:
    """What the Hub refuses in a README.md, and what it only warns of."""
    try:
        card = read_card(content)
    except yaml.YAMLError as error:
        return [f"YAML cannot be read: {error}"], []
    if not card:
        return [], ["empty or missing yaml metadata in repo card"]
    if not isinstance(card, dict):
        return ["metadata must be an object"], []
    errors = []
    for key in ("base_model", "datasets"):
        site = "models" if key == "base_model" else "datasets"
        errors += [
            f'"{key}" with value "{value}" is not valid. Use an id from https://hf.co/{site}.'
            for value in _list(card.get(key))
            if not isinstance(value, str) or not REPOSITORY_NAME.fullmatch(value)
        ]
    for value in _list(card.get("language")):
        if not isinstance(value, str) or not re.fullmatch("[a-z]{2,3}|code|multilingual", value):
            errors.append(
                f'"language" with value "{value}" is not valid. It must be an ISO 639-1, 639-2 or 639-3 code '
                '(two/three letters), or a special value like "code", "multilingual".'
            )
    for value in _list(card.get("license")):
        if not LICENSE.fullmatch(str(value)):
            errors.append(f'"license" must be one of [apache-2.0, mit, ...], not {value}')
    errors += [f'"{key}" must be an array' for key in ("widget", "tags", "metrics") if _no_list(card.get(key))]
    errors += [f'"{key}" must be a string' for key in ("pipeline_tag", "library_name") if _no_string(card.get(key))]
    if kind == "space":
        choices = (("colorFrom", COLOURS), ("colorTo", COLOURS), ("sdk", SDKS))
        errors += [
            f'"{key}" must be one of {allowed}' for key, allowed in choices if card.get(key) not in (None, *allowed)
        ]
        if len(str(card.get("short_description", ""))) > 60:
            errors.append('"short_description" length must be less than or equal to 60 characters long')
    return errors + _check_model_index(card.get("model-index")), []


def _no_list(value: Any) -> bool:
    return value is not None and not isinstance(value, list)


def _no_string(value: Any) -> bool:
    return value is not None and not isinstance(value, str)


def _check_model_index(index: Any) -> list[str]:
    if _no_list(index):
        return ['"model-index" must be an array']
    errors: list[str] = []

    def required(where: str, value: Any, keys: tuple[str, ...]) -> bool:
        if not isinstance(value, dict):
            errors.append(f'"{where}" must be of type object')
            return False
        missing = [key for key in keys if value.get(key) is None]
        errors.extend(f'"{where}.{key}" is required' for key in missing)
        return not missing

    for i, model in enumerate(index or ()):
        place = f"model-index[{i}]"
        if not required(place, model, ("name", "results")):
            continue
        if not isinstance(model["results"], list):
            errors.append(f'"{place}.results" must be an array')
            continue
        for j, result in enumerate(model["results"]):
            where = f"{place}.results[{j}]"
            if not required(where, result, ("task", "dataset", "metrics")):
                continue
            required(f"{where}.task", result["task"], ("type",))
            if required(f"{where}.dataset", result["dataset"], ("type", "name")):
                name = str(result["dataset"]["type"])
                if not REPOSITORY_NAME.fullmatch(name):
                    errors.append(f'"{where}.dataset.type" with value "{name}" fails to match the required pattern')
            for k, metric in enumerate(_list(result["metrics"])):
                required(f"{where}.metrics[{k}]", metric, ("type", "value"))
    return errors
