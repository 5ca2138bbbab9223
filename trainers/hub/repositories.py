"""Where the stages of a run go on the Hub, and whether they can, which is checked before training."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from .retries import patiently

# Before any training, nobody waits long. In seconds.
PATIENCE = 20.0

ADVICE = "run `hf auth login`, set HF_TOKEN or give --hub_token (https://huggingface.co/settings/tokens)"


@dataclass(frozen=True)
class HubRepositories:
    """One repository per stage: the final stage gets the run's name, the others append their own.

    Args:
        name (`str`): Id of the final stage's repository, `"org/name"`.
        final (`str`): Name of the final stage.
        others (`tuple[str, ...]`): Names of the other stages, in order.
    """

    name: str
    final: str
    others: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[str, ...]:
        """All stages, the final one last."""
        return (*self.others, self.final)

    def __getitem__(self, stage: str) -> str:
        """The id of a stage's repository.

        Raises:
            KeyError: If there is no such stage.
        """
        if stage not in self.stages:
            raise KeyError(f"The run has no stage {stage}.")
        return self.name if stage == self.final else f"{self.name}-{stage}"

    @property
    def namespace(self) -> str:
        return self.name.split("/")[0]


def full_repository_name(api: HfApi, name: str) -> str:
    """Prefix `name` with the user's name unless it has a namespace.

    Raises:
        ValueError: If there is no valid token, or the Hub cannot be reached.
    """
    with _understood(api.endpoint):
        return name if "/" in name else f"{_user(api)['name']}/{name}"


def check_repositories(api: HfApi, repositories: HubRepositories) -> None:
    """Check that all repositories can be written to.

    Raises:
        ValueError: If a name is invalid; the token is missing, invalid or has no write access; the organisation does
            not exist; or the Hub cannot be reached. The message says what to do.
    """
    for stage in repositories.stages:
        try:
            validate_repo_id(repositories[stage])
        except HFValidationError as error:
            raise ValueError(f"--hub_model_id gives the stage {stage} a name that the Hub refuses: {error}") from error
    with _understood(api.endpoint):
        _check_rights(api, repositories)


def _check_rights(api: HfApi, repositories: HubRepositories) -> None:
    user, namespace = _user(api), repositories.namespace
    token = user.get("auth", {}).get("accessToken", {})
    if token.get("role") == "read":
        raise ValueError(f"The token is read-only: {ADVICE} with one that can write.")
    organisations = {organisation["name"]: organisation for organisation in user.get("orgs", [])}
    if namespace != user["name"] and namespace not in organisations:
        _explain_foreign(api, namespace, user["name"])
    if organisations.get(namespace, {}).get("roleInOrg") == "read":
        raise ValueError(f"{user['name']} can only read in {namespace}: ask an administrator for the write role.")
    if token.get("role") == "fineGrained":
        scopes = token.get("fineGrained", {}).get("scoped", [])
        writable = {scope["entity"]["name"] for scope in scopes if "repo.write" in scope["permissions"]}
        # A scope is either a namespace or a single repository.
        refused = [
            repositories[stage] for stage in repositories.stages if not {namespace, repositories[stage]} & writable
        ]
        if refused:
            raise ValueError(f"The token cannot write to {', '.join(refused)}: {ADVICE} with one that can.")


def check_metadata(cards: Mapping[str, Any]) -> None:
    """Check that the Hub accepts the cards' metadata.

    Args:
        cards (`Mapping[str, ModelCard]`): Cards by stage; only their metadata is checked.

    Raises:
        ValueError: If the Hub refuses a card or does not answer, with its message.
    """
    for stage, card in cards.items():
        try:
            patiently(card.validate, f"The check of the card of {stage}", PATIENCE)
        except (HTTPError, OSError, JSONDecodeError) as error:
            raise ValueError(f"The Hub could not check the card of {stage}: {error}") from error
        except ValueError as error:
            raise ValueError(f"The Hub refuses the metadata of the card of {stage}: {error}") from error


@contextmanager
def _understood(endpoint: str) -> Iterator[None]:
    """Say which answers could not be understood: those of something else than a Hub, or of a gateway on its way."""
    try:
        yield
    except (AttributeError, IndexError, JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"The Hub at {endpoint} gave an answer that cannot be understood ({type(error).__name__}: {error}). Check "
            "HF_ENDPOINT, or repeat the command later."
        ) from error


def _user(api: HfApi) -> dict[str, Any]:
    if not re.fullmatch("[!-~]*", str(api.token or get_token() or "")):
        # Checked here because later errors would quote the token.
        raise ValueError(f"The token contains invalid characters, such as a space or a line break: {ADVICE}.")
    try:
        return patiently(lambda: api.whoami(cache=True), "The check of the token", PATIENCE)
    except LocalTokenNotFoundError as error:
        raise ValueError(f"--push_to_hub needs a token: {ADVICE}.") from error
    except HfHubHTTPError as error:
        if error.response.status_code == 401:
            raise ValueError(f"The Hub does not recognise the token: {ADVICE}.") from error
        raise ValueError(f"The Hub at {api.endpoint} could not tell whose token this is: {error}") from error
    except (HTTPError, OSError) as error:
        raise ValueError(f"--push_to_hub: the Hub at {api.endpoint} cannot be reached: {error}") from error


def _explain_foreign(api: HfApi, namespace: str, user: str) -> None:
    """Raise a `ValueError` that explains why the user cannot push to a namespace they do not belong to."""
    try:
        patiently(lambda: api.get_organization_overview(namespace), f"The check of {namespace}", PATIENCE)
    except HfHubHTTPError as error:
        if error.response.status_code == 404:
            raise ValueError(
                f"--hub_model_id: there is no organisation {namespace}. Create it at "
                f"https://huggingface.co/organizations/new, or push to {user}."
            ) from error
        raise ValueError(f"The Hub could not tell whether {namespace} exists: {error}") from error
    raise ValueError(f"--hub_model_id: {user} is not a member of {namespace}: ask to join, or push to {user}.")
