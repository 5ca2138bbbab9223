"""What all endpoints of the Hub on loopback share: what it keeps, and who may read and write it."""

from typing import Any

from tests.helpers.hub_http import Request
from tests.helpers.hub_storage import HubError, Token


class Endpoints:
    """The state that endpoints read and change.

    Args:
        tokens: Access tokens and what they stand for.
        organisations: Organisations that exist besides those of the tokens.
    """

    def __init__(self, tokens: dict[str, Token] | None = None, organisations: tuple[str, ...] = ()) -> None:
        self.tokens = tokens or {"hf_write": Token("me", organisations={"org": "admin"})}
        self.organisations = {*organisations, *(name for token in self.tokens.values() for name in token.organisations)}
        self.repositories: dict[str, Any] = {}
        self.collections: list[Any] = []
        self.lfs_objects: dict[str, bytes] = {}
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

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
