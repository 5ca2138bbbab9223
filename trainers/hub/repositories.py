"""Where the stages of a run go on the Hub, and whether they may go there, asked before any training."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

ADVICE = "run `hf auth login`, set HF_TOKEN or give --hub_token (https://huggingface.co/settings/tokens)"


@dataclass(frozen=True)
class HubRepositories:
    """One repository per stage: the final stage has the run's name, the others theirs after it.

    Args:
        name (`str`): Id of the final stage's repository, `"org/name"`.
        final (`str`): The final stage.
        others (`tuple[str, ...]`): The other stages, in order.
    """

    name: str
    final: str
    others: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[str, ...]:
        """All stages, the final one last."""
        return (*self.others, self.final)

    def __getitem__(self, stage: str) -> str:
        """The id of a stage's repository."""
        if stage not in self.stages:
            raise KeyError(f"The run has no stage {stage}.")
        return self.name if stage == self.final else f"{self.name}-{stage}"

    @property
    def namespace(self) -> str:
        return self.name.split("/")[0]


def full_repository_name(api: HfApi, name: str) -> str:
    """`name` with the user's name before it where it has no namespace.

    Raises:
        ValueError: If there is no valid token, or the Hub cannot be reached.
    """
    return name if "/" in name else f"{_user(api)['name']}/{name}"


def check_repositories(api: HfApi, repositories: HubRepositories) -> None:
    """Whether all repositories can be written to.

    Raises:
        ValueError: If a name is not valid, the token is missing, not valid or may not write there, the organisation
            does not exist, or the Hub cannot be reached. The message says what to do.
    """
    for stage in repositories.stages:
        try:
            validate_repo_id(repositories[stage])
        except HFValidationError as error:
            raise ValueError(f"--hub_model_id gives the stage {stage} a name that the Hub refuses: {error}") from error
    user, namespace = _user(api), repositories.namespace
    token = user.get("auth", {}).get("accessToken", {})
    if token.get("role") == "read":
        raise ValueError(f"The token may only read: {ADVICE} with one that may write.")
    organisations = {organisation["name"]: organisation for organisation in user.get("orgs", [])}
    if namespace != user["name"] and namespace not in organisations:
        _explain_foreign(api, namespace, user["name"])
    if organisations.get(namespace, {}).get("roleInOrg") == "read":
        raise ValueError(f"{user['name']} may only read in {namespace}: ask an administrator for the role write.")
    if token.get("role") == "fineGrained":
        scopes = token.get("fineGrained", {}).get("scoped", [])
        writable = {scope["entity"]["name"] for scope in scopes if "repo.write" in scope["permissions"]}
        # A scope may also be one repository.
        refused = [
            repositories[stage] for stage in repositories.stages if not {namespace, repositories[stage]} & writable
        ]
        if refused:
            raise ValueError(f"The token may not write to {', '.join(refused)}: {ADVICE} with one that may.")


def check_metadata(cards: Mapping[str, Any]) -> None:
    """Whether the Hub takes the cards' metadata.

    Args:
        cards (`Mapping[str, ModelCard]`): By stage, a card; its text is not looked at.

    Raises:
        ValueError: If it does not, with what it says.
    """
    for stage, card in cards.items():
        try:
            card.validate()
        except HTTPError as error:
            raise ValueError(f"The Hub could not check the card of {stage}: {error}") from error
        except ValueError as error:
            raise ValueError(f"The Hub refuses the metadata of the card of {stage}: {error}") from error


def _user(api: HfApi) -> dict[str, Any]:
    if not re.fullmatch("[!-~]*", str(api.token or get_token() or "")):
        # Whoever refused it later would quote it.
        raise ValueError(f"The token holds characters that no token has, such as a space or a line break: {ADVICE}.")
    try:
        return api.whoami(cache=True)
    except LocalTokenNotFoundError as error:
        raise ValueError(f"--push_to_hub needs a token: {ADVICE}.") from error
    except HfHubHTTPError as error:
        if error.response.status_code == 401:
            raise ValueError(f"The Hub does not know the token: {ADVICE}.") from error
        raise ValueError(f"The Hub at {api.endpoint} does not say whose token this is: {error}") from error
    except (HTTPError, OSError) as error:
        raise ValueError(f"--push_to_hub: the Hub at {api.endpoint} cannot be reached: {error}") from error


def _explain_foreign(api: HfApi, namespace: str, user: str) -> None:
    """Raise for a namespace that the user does not belong to."""
    try:
        api.get_organization_overview(namespace)
    except HfHubHTTPError as error:
        if error.response.status_code == 404:
            raise ValueError(
                f"--hub_model_id: there is no organisation {namespace}. Create it at "
                f"https://huggingface.co/organizations/new, or push to {user}."
            ) from error
        raise ValueError(f"The Hub does not say whether {namespace} exists: {error}") from error
    raise ValueError(f"--hub_model_id: {user} is no member of {namespace}: ask to be let in, or push to {user}.")
