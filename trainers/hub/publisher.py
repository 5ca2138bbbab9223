"""Finished stages on the Hub: one repository per stage, commit per push, tag per recipe and collection per run."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from huggingface_hub import CommitOperationAdd, HfApi, ModelCard
from huggingface_hub.errors import HTTPError, RemoteEntryNotFoundError

from model_cards import merge_cards

from .published_files import CARD_NAME, PREVIOUS_CARD_NAME, missing_files, published_files
from .repositories import HubRepositories
from .retries import cause_of, patiently

logger = logging.getLogger(__name__)

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
            PublishingError: If the card, the config or the weights are missing, or publishing fails, after retries of
                temporary errors.
        """
        repository, files = self.repositories[stage], published_files(folder)
        missing = missing_files(folder)
        if missing:
            raise PublishingError(
                f"{repository} could not be published: {folder} has no {', '.join(missing)}. Links are not followed: "
                "put the files themselves there."
            )

        def push() -> str:
            self.api.create_repo(repository, private=self.private, exist_ok=True)
            if self.revision:
                self.api.create_branch(repository, branch=self.revision, exist_ok=True)
            head = self.api.repo_info(repository, revision=self.revision).sha
            operations = [CommitOperationAdd(name, path) for name, path in files.items()]
            card, unread = self._card(repository, folder, head)
            operations.append(CommitOperationAdd(CARD_NAME, card.encode("utf-8")))
            if unread is not None:
                operations.append(CommitOperationAdd(PREVIOUS_CARD_NAME, unread))
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

    def _card(self, repository: str, folder: Path, head: str | None) -> tuple[str, bytes | None]:
        """The stage's card, keeping what people wrote into the published one, and that one if it cannot be read."""
        generated = (folder / CARD_NAME).read_text(encoding="utf-8")
        try:
            there = self.api.hf_hub_download(repository, CARD_NAME, revision=head)
        except RemoteEntryNotFoundError:
            # Only if there is no card: with other errors, going on would overwrite what people wrote.
            return generated, None
        before = Path(there).read_bytes()
        try:
            card = merge_cards(before.decode("utf-8"), generated)
            if card != generated:
                _check_merged(card, generated)
            return card, None
        except ValueError as error:
            logger.warning(
                "The card of %s cannot be read (%s). It is kept there as %s, and ours takes its place.",
                repository,
                error,
                PREVIOUS_CARD_NAME,
            )
            return generated, before

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
        try:
            return patiently(send, what, self.patience)
        except Exception as error:
            # Not only the client's own errors: an answer of another shape than it expects ends in any error at all.
            reasons = dict.fromkeys((_said(error), _said(cause_of(error))))
            raise PublishingError(f"{what} could not be published: {' '.join(reasons)}") from error


def _check_merged(card: str, generated: str) -> None:
    """Check that the Hub accepts what people's metadata have become together with ours.

    Raises:
        ValueError: If it does not.
    """
    try:
        ModelCard(card).validate()
    except ValueError:
        # If ours are at fault, the push itself says so.
        ModelCard(generated).validate()
        raise


def _said(error: BaseException | None) -> str:
    known = isinstance(error, (HTTPError, OSError, RuntimeError, ValueError))
    return str(error) if known else f"the Hub's answer was not understood ({type(error).__name__}: {error})."
