"""Finished stages on the Hub: one repository per stage, commit per push, tag per recipe and collection per run."""

import logging
from collections.abc import Callable, Sequence
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar

import tenacity
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError, RemoteEntryNotFoundError

from model_cards import merge_cards

from .published_files import CARD_NAME, published_files
from .repositories import HubRepositories

logger = logging.getLogger(__name__)

# Temporary errors: time-outs, conflicts with another commit, rate limits and server faults.
PASSING = {408, 409, 412, 429, 500, 502, 503, 504}

T = TypeVar("T")


def collection_title(model: str) -> str:
    """Title of the collection of a model's stages; `model` is the repository id of the last stage."""
    return f"{model.split('/')[1]}: all stages"


class PublishingError(RuntimeError):
    """Something could not be published. Raised only when training is finished, so none of it is lost."""


class StagePublisher:
    """Publishes each stage in one commit, so that the Hub always has a complete model.

    Args:
        api (`HfApi`): The client, with its token.
        repositories ([`HubRepositories`]): Repository of each stage.
        private (`bool`, *optional*): Whether new repositories are private. Defaults to the namespace's own setting.
        revision (`str`, *optional*): Branch to push to, created if it does not exist. Defaults to `main`.
        patience (`float`, defaults to 180): How many seconds to keep retrying failed requests.
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
        """Publish a stage's folder. If nothing has changed, there is no new commit.

        Args:
            stage (`str`): Name of the stage.
            folder (`Path`): Its folder.
            message (`str`): Commit message.
            tags (`Sequence[str]`, *optional*): Tags for the commit; existing tags are moved.

        Returns:
            `str`: The id of the commit.

        Raises:
            PublishingError: If publishing fails, after retries of temporary errors.
        """
        repository, files = self.repositories[stage], published_files(folder)

        def push() -> str:
            self.api.create_repo(repository, private=self.private, exist_ok=True)
            if self.revision:
                self.api.create_branch(repository, branch=self.revision, exist_ok=True)
            head = self.api.repo_info(repository, revision=self.revision).sha
            operations = [CommitOperationAdd(name, path) for name, path in files.items()]
            card = self._card(repository, folder, head)
            operations.append(CommitOperationAdd(CARD_NAME, card.encode("utf-8")))
            # If someone else commits in the meantime, the Hub refuses, and the retry merges the card again.
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
        """Add the repositories of stages to a collection, which is created if none has that title.

        Args:
            title (`str`): Title of the collection, cut to 59 characters.
            description (`str`): Description of the collection, cut to 149 characters.
            notes (`dict[str, str]`): A note on each stage to add, cut to 499 characters.

        Returns:
            `str`: The collection's slug.

        Raises:
            PublishingError: If publishing fails, after retries of temporary errors.
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
        """The stage's card, keeping what people wrote into the published one."""
        generated = (folder / CARD_NAME).read_text(encoding="utf-8")
        try:
            there = self.api.hf_hub_download(repository, CARD_NAME, revision=head)
        except RemoteEntryNotFoundError:
            # Only if there is no card: with other errors, going on would overwrite what people wrote.
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
        """Call `send`, and retry temporary errors.

        Args:
            send (`Callable`): The requests to make; it has to be repeatable.
            what (`str`): What is being sent, for messages.

        Returns:
            What `send` returns.

        Raises:
            PublishingError: If `send` keeps failing, or fails for good.
        """
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
            # A ValueError means that the Hub refuses a card's metadata, or that its answer is not JSON.
            reasons = dict.fromkeys((str(error), str(_cause(error))))
            raise PublishingError(f"{what} could not be published: {' '.join(reasons)}") from error


def _cause(error: BaseException | None) -> BaseException | None:
    """The error behind the client's report that a file could not be uploaded or downloaded."""
    return error.__cause__ or error if isinstance(error, (RuntimeError, LocalEntryNotFoundError)) else error


def _passes(error: BaseException) -> bool:
    cause = _cause(error)
    if isinstance(cause, HfHubHTTPError):
        return cause.response.status_code in PASSING
    # A failing gateway answers with an HTML page, which the client tries to parse as JSON.
    return isinstance(cause, (HTTPError, ConnectionError, TimeoutError, JSONDecodeError))


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds to wait before retrying: what the Hub asks for, otherwise longer each time."""
    error = _cause(state.outcome.exception()) if state.outcome else None
    asked = error.response.headers.get("Retry-After", "") if isinstance(error, HfHubHTTPError) else ""
    return float(asked) if asked.isdigit() else min(2.0 ** (state.attempt_number - 1), 30.0)


def _reason(state: tenacity.RetryCallState) -> str:
    error = state.outcome.exception() if state.outcome else None
    return str(error).splitlines()[0] if str(error) else type(error).__name__
