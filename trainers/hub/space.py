"""A page to try a model, as a Space on the Hub: the folder `page`, the names of its models, and posts to click on."""

from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi, RepoCard
from huggingface_hub.errors import RemoteEntryNotFoundError

PAGE = Path(__file__).resolve().parent / "page"
CARD_NAME = "README.md"
# Of the card's metadata, what belongs to the page; the rest is people's to change.
OF_THE_PAGE = ("sdk", "sdk_version", "python_version", "app_file")


def space_name(model: str) -> str:
    """The id of the Space of a model."""
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
    """Put the page on the Hub in one commit. Where nothing has changed, none is made.

    A Space that has the page already keeps its card, with what people made of it, but for the models that it names and
    what the page runs on.

    Args:
        api (`HfApi`): The client, with its token.
        name (`str`): The Space's id; it is created where there is none.
        model (`str`): Id of the model on the Hub.
        compare (`str`, *optional*): Id of another one, shown beside it.
        posts (`Sequence[Path]`): JSON Lines files of posts that the page offers as examples.
        private (`bool`, *optional*): Whether a new Space is private; the namespace's own default without. The page then
            needs a secret `HF_TOKEN` to read private models: no token is sent there.

    Returns:
        `str`: The commit.

    """
    files = {path.name: path for path in PAGE.iterdir() if path.is_file() and path.name != CARD_NAME}
    files |= {f"posts/{path.name}": path for path in posts}
    operations = [CommitOperationAdd(path, files[path]) for path in sorted(files)]
    api.create_repo(name, repo_type="space", space_sdk="gradio", private=private, exist_ok=True)
    card = _space_card(api, name)
    card.data["models"] = [model, compare] if compare else [model]
    operations.append(CommitOperationAdd(CARD_NAME, str(card).encode("utf-8")))
    return api.create_commit(name, operations, commit_message=f"A page to try {model}", repo_type="space").oid


def _space_card(api: HfApi, name: str) -> RepoCard:
    card = RepoCard.load(PAGE / CARD_NAME)
    # The Hub gives a new Space a card of its own: that is ours to replace.
    if not api.file_exists(name, "app.py", repo_type="space"):
        return card
    try:
        there = RepoCard.load(api.hf_hub_download(name, CARD_NAME, repo_type="space"))
    except RemoteEntryNotFoundError:
        return card
    for field in OF_THE_PAGE:
        there.data[field] = card.data[field]
    return there
