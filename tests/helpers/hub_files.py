"""The endpoints of the Hub on loopback for files: downloads, commits and LFS."""

import json
from typing import Any

from tests.helpers.hub_cards import check_card
from tests.helpers.hub_endpoints import Endpoints
from tests.helpers.hub_http import JSON, Answer, Request
from tests.helpers.hub_storage import File, HubError


class FileEndpoints(Endpoints):
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
        errors, warnings = check_card(payload["content"], payload["repoType"])
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
        if File(request.body).sha256 != request.values["oid"]:
            raise HubError(400, "The content does not match its SHA-256")
        self.lfs_objects[request.values["oid"]] = request.body
        return Answer()

    def lfs_verify(self, request: Request) -> Any:
        if len(self.lfs_objects.get(request.values["oid"], b"")) != request.json()["size"]:
            raise HubError(404, "LFS object not found")
        return {}
