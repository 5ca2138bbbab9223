"""What a Hugging Face Hub keeps: repositories with their commits, and tokens.

No HTTP here: hub_server.py serves it.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import cached_property
from typing import Any

from tests.helpers.hub_cards import as_list, check_card, read_card

REPOSITORY_KINDS = ("model", "dataset", "space")
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
        tags = [card[key] for key in ("library_name", "pipeline_tag") if key in card] + as_list(card.get("tags"))
        tags += as_list(card.get("language"))
        for key, name in (("license", "license"), ("datasets", "dataset"), ("base_model", "base_model")):
            tags += [f"{name}:{value}" for value in as_list(card.get(key))]
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
