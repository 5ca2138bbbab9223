"""The collections of the Hub on loopback, and their endpoints."""

import re
import secrets
from typing import Any

from tests.helpers.hub_endpoints import Endpoints
from tests.helpers.hub_http import Request
from tests.helpers.hub_storage import REPOSITORY_KINDS, HubError, now


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


class CollectionEndpoints(Endpoints):
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
        new = Collection(namespace, payload["title"], payload.get("description"), payload.get("private", False))
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
        if item["type"] in REPOSITORY_KINDS and self._key(f"{item['type']}s", item["id"]) not in self.repositories:
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
