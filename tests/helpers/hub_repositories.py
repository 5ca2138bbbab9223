"""The endpoints of the Hub on loopback for users, repositories and their revisions."""

from typing import Any
from urllib.parse import parse_qs

from tests.helpers.hub_endpoints import Endpoints
from tests.helpers.hub_http import Answer, Request
from tests.helpers.hub_storage import HubError, Repository, now


class RepositoryEndpoints(Endpoints):
    def whoami(self, request: Request) -> Any:
        token = request.token
        if token is None:
            raise HubError(401, "Invalid username or password.")
        access: dict[str, Any] = {"displayName": "test", "role": token.role, "createdAt": now()}
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
        self.repositories[key] = Repository(kind, name, author, private, payload.get("sdk"))
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
