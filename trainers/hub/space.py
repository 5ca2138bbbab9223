"""A page to try a model, as a Space on the Hub: the folder `page`, the ids of its models, and example posts."""

import logging
from collections.abc import Sequence
from pathlib import Path

import yaml
from huggingface_hub import CommitOperationAdd, HfApi, RepoCard
from huggingface_hub.errors import RemoteEntryNotFoundError

from .published_files import CARD_NAME, PREVIOUS_CARD_NAME

logger = logging.getLogger(__name__)

PAGE = Path(__file__).resolve().parent / "page"
# Not whatever else may lie there.
PAGE_FILES = (
    "app.py",
    "attribution.py",
    "classifier.py",
    "conversation.py",
    "markup.py",
    "neighbours.py",
    "requirements.txt",
    "style.css",
    "talk.py",
)
# Card metadata that belongs to the page; people may change the rest.
OF_THE_PAGE = ("sdk", "sdk_version", "python_version", "app_file")


def space_name(model: str) -> str:
    """Id of a model's Space."""
    return f"{model}-space"


def push_space(
    api: HfApi,
    name: str,
    model: str,
    compare: str | None = None,
    *,
    posts: Sequence[Path] = (),
    private: bool | None = None,
) -> str:
    """Push the page to the Hub in one commit, or in none if nothing has changed.

    A Space that already has the page keeps its card, including people's edits. Only the models that it names and what
    the page runs on are updated.

    Args:
        api (`HfApi`): The client, with its token.
        name (`str`): Id of the Space, which is created if it does not exist.
        model (`str`): Id of the model on the Hub.
        compare (`str`, *optional*): Id of another model, shown next to it.
        posts (`Sequence[Path]`, *optional*): JSON Lines files of posts that the page offers as examples.
        private (`bool`, *optional*): Whether a new Space is private. Defaults to the namespace's own setting. To read
            private models, the page needs a secret `HF_TOKEN`: no token is sent there.

    Returns:
        `str`: The id of the commit.
    """
    files = {name: PAGE / name for name in PAGE_FILES}
    files |= {f"posts/{path.name}": path for path in posts}
    operations = [CommitOperationAdd(path, files[path]) for path in sorted(files)]
    api.create_repo(name, repo_type="space", space_sdk="gradio", private=private, exist_ok=True)
    card, unread = _space_card(api, name)
    card.data["models"] = [model, compare] if compare else [model]
    operations.append(CommitOperationAdd(CARD_NAME, str(card).encode("utf-8")))
    if unread is not None:
        operations.append(CommitOperationAdd(PREVIOUS_CARD_NAME, unread))
    return api.create_commit(name, operations, commit_message=f"A page to try {model}", repo_type="space").oid


def _space_card(api: HfApi, name: str) -> tuple[RepoCard, bytes | None]:
    """The card of the Space, keeping what people changed in it, and the one that is there if it cannot be read."""
    card = RepoCard.load(PAGE / CARD_NAME)
    # The Hub gives a new Space a default card, which can be replaced.
    if not api.file_exists(name, "app.py", repo_type="space"):
        return card, None
    try:
        before = Path(api.hf_hub_download(name, CARD_NAME, repo_type="space")).read_bytes()
    except RemoteEntryNotFoundError:
        return card, None
    try:
        there = RepoCard(before.decode("utf-8"))
    except (yaml.YAMLError, TypeError, ValueError) as error:
        logger.warning(
            "The card of the Space %s cannot be read (%s). It is kept there as %s, and ours takes its place.",
            *(name, error, PREVIOUS_CARD_NAME),
        )
        return card, before
    for field in OF_THE_PAGE:
        there.data[field] = card.data[field]
    return there, None
