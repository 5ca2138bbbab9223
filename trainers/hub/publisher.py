"""Finished stages on the Hub: one repository a stage, one commit a push, a tag a recipe, a collection a run."""

import logging
from collections.abc import Callable, Sequence
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar

import tenacity
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError, RemoteEntryNotFoundError

from model_cards import merge_cards

from .repositories import HubRepositories

logger = logging.getLogger(__name__)

CARD_NAME = "README.md"
# Trainer state needed to resume, on the machine whose paths are in it.
STATE_NAME = "trainer_state.json"
# Pickles run code when they are loaded, and arrays of scores are for comparisons on one's own machine.
LEFT_AT_HOME = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".npy", ".npz", ".unfinished"}
# What passes by itself: time-outs, conflicts with another commit, limits of requests, and faults of the server.
PASSING = {408, 409, 412, 429, 500, 502, 503, 504}

T = TypeVar("T")


def collection_title(model: str) -> str:
    """The title of the collection of a model's stages; `model` is the id of the last one."""
    return f"{model.split('/')[1]}: all stages"


class PublishingError(RuntimeError):
    """What could not be published, after all that could be trained was trained."""


class StagePublisher:
    """Publishes stages, each in one commit: what is on the Hub is always a whole model.

    Args:
        api (`HfApi`): The client, with its token.
        repositories ([`HubRepositories`]): Where each stage goes.
        private (`bool`, *optional*): Whether new repositories are private; the namespace's own default without.
        revision (`str`, *optional*): The branch to push to; it is created where it does not exist.
        patience (`float`): For how many seconds failed requests are repeated.
    """

    def __init__(
        self,
        api: HfApi,
        repositories: HubRepositories,
        *,
        private: bool | None = None,
        revision: str | None = None,
        patience: float = 180.0,
    ) -> None:
        self.api, self.repositories = api, repositories
        self.private, self.revision, self.patience = private, revision, patience

    def publish(self, stage: str, folder: Path, message: str, tags: Sequence[str] = ()) -> str:
        """Publish a stage's folder. Where nothing has changed, nothing is pushed.

        Args:
            stage (`str`): The stage's name.
            folder (`Path`): Its folder.
            message (`str`): Of the commit.
            tags (`Sequence[str]`): Tags of the commit; they are moved where they exist.

        Returns:
            `str`: The commit.

        Raises:
            PublishingError: If it could not be published, however often it was tried.
        """
        repository = self.repositories[stage]

        def push() -> str:
            self.api.create_repo(repository, private=self.private, exist_ok=True)
            if self.revision:
                self.api.create_branch(repository, branch=self.revision, exist_ok=True)
            head = self.api.repo_info(repository, revision=self.revision).sha
            operations = [
                CommitOperationAdd(path.name, path)
                for path in sorted(folder.iterdir())
                if path.is_file() and path.suffix not in LEFT_AT_HOME and path.name not in (CARD_NAME, STATE_NAME)
            ]
            card = self._card(repository, folder, head)
            operations.append(CommitOperationAdd(CARD_NAME, card.encode("utf-8")))
            # If somebody else commits in the meantime, the Hub refuses, and the card is merged anew.
            commit = self.api.create_commit(
                repository, operations, commit_message=message, revision=self.revision, parent_commit=head
            )
            for tag in tags:
                self._tag(repository, tag, commit.oid)
            return commit.oid

        commit = self.patiently(push, repository)
        logger.info("%s is at %s/%s.", stage, self.api.endpoint, repository)
        return commit

    def collect(self, title: str, description: str, notes: dict[str, str]) -> str:
        """Gather the repositories of stages in a collection, which is created where there is none of that title.

        Args:
            title (`str`): At most 59 characters.
            description (`str`): At most 149 characters.
            notes (`dict[str, str]`): By stage, what is said of it.

        Returns:
            `str`: The collection's slug.
        """

        def gather() -> str:
            collection = self.api.create_collection(
                title[:59],
                namespace=self.repositories.namespace,
                description=description[:149],
                private=bool(self.private),
                exists_ok=True,
            )
            for stage, note in notes.items():
                repository = self.repositories[stage]
                self.api.add_collection_item(collection.slug, repository, "model", note=note[:499], exists_ok=True)
            return collection.slug

        return self.patiently(gather, f"the collection {title}")

    def _card(self, repository: str, folder: Path, head: str | None) -> str:
        """The stage's card, with what people wrote into the one that is there."""
        generated = (folder / CARD_NAME).read_text(encoding="utf-8")
        try:
            there = self.api.hf_hub_download(repository, CARD_NAME, revision=head)
        except RemoteEntryNotFoundError:
            # Not where the Hub merely does not answer, or what people wrote would be lost.
            return generated
        return merge_cards(Path(there).read_text(encoding="utf-8"), generated)

    def _tag(self, repository: str, tag: str, commit: str) -> None:
        found = {ref.name: ref.target_commit for ref in self.api.list_repo_refs(repository).tags}
        if found.get(tag) == commit:
            return
        if tag in found:
            self.api.delete_tag(repository, tag=tag)
        self.api.create_tag(repository, tag=tag, revision=commit)

    def patiently(self, send: Callable[[], T], what: str) -> T:
        """Repeat what failed for a reason that passes."""
        attempts = tenacity.Retrying(
            stop=tenacity.stop_before_delay(self.patience),
            wait=_wait,
            retry=tenacity.retry_if_exception(_passes),
            before_sleep=lambda state: logger.warning(
                "%s: %s Trying again in %.0f s.", what, _reason(state), state.upcoming_sleep
            ),
            reraise=True,
        )
        try:
            return attempts(send)
        except (HTTPError, OSError, RuntimeError, ValueError) as error:
            # A ValueError is a card whose metadata the Hub refuses, or an answer that is no JSON.
            reasons = dict.fromkeys((str(error), str(_cause(error))))
            raise PublishingError(f"{what} could not be published: {' '.join(reasons)}") from error


def _cause(error: BaseException | None) -> BaseException | None:
    """What lies behind the client's reports of files that could not be uploaded or downloaded."""
    return error.__cause__ or error if isinstance(error, (RuntimeError, LocalEntryNotFoundError)) else error


def _passes(error: BaseException) -> bool:
    cause = _cause(error)
    if isinstance(cause, HfHubHTTPError):
        return cause.response.status_code in PASSING
    # A gateway in trouble answers with a page, which the client takes for JSON.
    return isinstance(cause, (HTTPError, ConnectionError, TimeoutError, JSONDecodeError))


def _wait(state: tenacity.RetryCallState) -> float:
    """As long as the Hub asks for, else longer each time."""
    error = _cause(state.outcome.exception()) if state.outcome else None
    asked = error.response.headers.get("Retry-After", "") if isinstance(error, HfHubHTTPError) else ""
    return float(asked) if asked.isdigit() else min(2.0 ** (state.attempt_number - 1), 30.0)


def _reason(state: tenacity.RetryCallState) -> str:
    error = state.outcome.exception() if state.outcome else None
    return str(error).splitlines()[0] if str(error) else type(error).__name__
