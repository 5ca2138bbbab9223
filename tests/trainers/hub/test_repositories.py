"""Where stages go on the Hub, and everything that stands in the way, found before any training."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import HfApi, ModelCard, constants

from tests.helpers import fresh_process, hub_server, tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.hub import repositories
from trainers.hub.repositories import HubRepositories, check_metadata, check_repositories, full_repository_name
from trainers.recipes import RECIPES, stages_of
from trainers.runs.runner import Runner

REPOSITORIES = HubRepositories("org/csr-emotion", "csr", ("emotion-encoder",))
BOTH = ("org/csr-emotion-emotion-encoder", "org/csr-emotion")
FINE: dict[str, Any] = {"role": "fineGrained", "organisations": {"org": "admin"}}
HOW_TO_LOG_IN = "hf auth login.*HF_TOKEN.*--hub_token.*https://huggingface.co/settings/tokens"


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., HfApi]:
    """`connect(server, token)`: the real client of a Hub on loopback, in this process.

    huggingface_hub reads its environment when it is imported, which is too late here.
    """

    def client(server: SimpleNamespace, token: str | None = None) -> HfApi:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + template)
        return HfApi(endpoint=server.url, token=token)

    return client


@pytest.fixture
def hub() -> Iterator[Any]:
    tokens = {
        "hf_write": hub_server.Token("me", organisations={"org": "admin", "readers": "read"}),
        "hf_read": hub_server.Token("me", "read", {"org": "admin"}),
        "hf_org": hub_server.Token("me", scopes={"org": ("repo.write",)}, **FINE),
        "hf_both": hub_server.Token("me", scopes=dict.fromkeys(BOTH, ("repo.write",)), **FINE),
        "hf_one": hub_server.Token("me", scopes={"org/csr-emotion": ("repo.write",)}, **FINE),
        "hf_look": hub_server.Token("me", scopes={"org": ("repo.content.read",)}, **FINE),
        "hf_other": hub_server.Token("me", scopes={"me": ("repo.write",)}, **FINE),
    }
    with hub_server.HubServer(tokens, organisations=("elsewhere",)) as server:
        yield server


def names(recipes: list[str], name: str = "org/csr-emotion") -> dict[str, str]:
    final = RECIPES[recipes[-1]].final.name
    stages = [stage.name for stage in stages_of(RECIPES[recipe] for recipe in recipes)]
    repositories = HubRepositories(name, final, tuple(stage for stage in stages if stage != final))
    return {stage: repositories[stage] for stage in repositories.stages}


def test_last_stage_has_the_name_of_the_run() -> None:
    assert names(["model-3.3"]) == {
        "emotion-encoder": "org/csr-emotion-emotion-encoder",
        "sentiment-encoder": "org/csr-emotion-sentiment-encoder",
        "siamese": "org/csr-emotion-siamese",
        "csr": "org/csr-emotion",
    }
    assert names(["bert"]) == {"emotion-encoder": "org/csr-emotion"}


def test_of_several_recipes_the_last_one_counts() -> None:
    assert names(["bert", "model-3.3"]) == names(["model-3.3"])
    found = names(["model-3.3", "bert"])
    assert found["emotion-encoder"] == "org/csr-emotion" and found["csr"] == "org/csr-emotion-csr"


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_stage_has_a_repository_of_its_own(recipe: str) -> None:
    found = names([recipe, "bert"])
    stages = [stage.name for stage in stages_of([RECIPES[recipe], RECIPES["bert"]])]
    assert list(found) == [*(name for name in stages if name != "emotion-encoder"), "emotion-encoder"]
    assert len(set(found.values())) == len(found)


def test_stage_of_another_run() -> None:
    with pytest.raises(KeyError, match="no stage siamese"):
        REPOSITORIES["siamese"]
    assert REPOSITORIES.namespace == "org"


def test_name_without_namespace_is_the_users(hub: Any, connect: Callable[..., HfApi]) -> None:
    assert full_repository_name(connect(hub, "hf_write"), "csr-emotion") == "me/csr-emotion"
    # Nobody has to be asked.
    asked = len(hub.requests)
    assert full_repository_name(connect(hub, None), "org/csr-emotion") == "org/csr-emotion"
    assert len(hub.requests) == asked


@pytest.mark.parametrize("token", ["hf_write", "hf_org", "hf_both"])
def test_who_may_write_passes(token: str, hub: Any, connect: Callable[..., HfApi]) -> None:
    check_repositories(connect(hub, token), REPOSITORIES)
    assert not hub.repositories and not hub.asked("", "POST")


def test_own_namespace_passes(hub: Any, connect: Callable[..., HfApi]) -> None:
    for token in ("hf_write", "hf_other"):
        check_repositories(connect(hub, token), HubRepositories("me/csr-emotion", "csr"))


@pytest.mark.parametrize(
    ("token", "name", "message"),
    [
        (None, "org/csr", f"needs a token: .*{HOW_TO_LOG_IN}"),
        ("hf_wrong", "org/csr", f"does not recognise the token: .*{HOW_TO_LOG_IN}"),
        ("hf_read", "org/csr", f"is read-only: .*{HOW_TO_LOG_IN}.* with one that can write"),
        ("hf_write", "nobody/csr", "no organisation nobody.*https://huggingface.co/organizations/new, or push to me"),
        ("hf_write", "elsewhere/csr", "me is not a member of elsewhere: ask to join, or push to me"),
        ("hf_write", "readers/csr", "me can only read in readers: ask an administrator"),
        ("hf_one", "org/csr-emotion", f"cannot write to org/csr-emotion-emotion-encoder: .*{HOW_TO_LOG_IN}"),
        ("hf_look", "org/csr", f"cannot write to org/csr-emotion-encoder, org/csr: .*{HOW_TO_LOG_IN}"),
        ("hf_other", "org/csr", "cannot write to org/csr-emotion-encoder, org/csr: "),
        ("hf_org", "me/csr", "cannot write to me/csr-emotion-encoder, me/csr: "),
        ("hf_line\n", "org/csr", f"a space or a line break: .*{HOW_TO_LOG_IN}"),
        ("hf_spaced out", "org/csr", "a space or a line break"),
        ("hf_naïve", "org/csr", "a space or a line break"),
    ],
)
def test_what_stands_in_the_way(
    token: str | None, name: str, message: str, hub: Any, connect: Callable[..., HfApi]
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        check_repositories(connect(hub, token), HubRepositories(name, "csr", ("emotion-encoder",)))
    # Nothing has been made, and the token stays what only its owner knows.
    assert not hub.repositories and not hub.asked("", "POST")
    assert token is None or token.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["org/" + "a" * 85, "org/a b", "org/ä", "org/a--b", "org/a..b", "org/.a", "a/b/c", "/models/csr", "org/"]
)
def test_names_that_the_hub_refuses(name: str, hub: Any, connect: Callable[..., HfApi]) -> None:
    """The name of the longest stage counts: 85 letters would be well by themselves."""
    with pytest.raises(ValueError, match=r"^--hub_model_id gives the stage .* a name that the Hub refuses: .*"):
        check_repositories(connect(hub, "hf_write"), HubRepositories(name, "csr", ("emotion-encoder",)))
    assert not hub.requests


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks that are hardly repeated."""
    monkeypatch.setattr(repositories, "PATIENCE", 0.01)


@pytest.mark.usefixtures("hasty")
def test_hub_that_is_away(hub: Any, connect: Callable[..., HfApi]) -> None:
    api = connect(hub, "hf_write")
    hub.stop()
    with pytest.raises(ValueError, match=f"--push_to_hub: the Hub at {hub.url} cannot be reached: .*refused"):
        check_repositories(api, REPOSITORIES)
    with pytest.raises(ValueError, match="cannot be reached"):
        full_repository_name(api, "csr")
    with pytest.raises(ValueError, match=r"The Hub could not check the card of csr: .*refused"):
        check_metadata({"csr": ModelCard("---\nlicense: mit\n---\n")})


@pytest.mark.usefixtures("hasty")
def test_hub_in_trouble(hub: Any, connect: Callable[..., HfApi]) -> None:
    hub.fail("/api/whoami-v2", 500)
    with pytest.raises(ValueError, match=r"could not tell whose token this is: .*500"):
        check_repositories(connect(hub, "hf_write"), REPOSITORIES)
    hub.fail("/api/whoami-v2", drop=True)
    with pytest.raises(ValueError, match="cannot be reached"):
        check_repositories(connect(hub, "hf_write"), REPOSITORIES)
    hub.fail("/api/organizations/", 500)
    with pytest.raises(ValueError, match=r"could not tell whether nobody exists: .*500"):
        check_repositories(connect(hub, "hf_write"), HubRepositories("nobody/csr", "csr"))


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}, {"status": 507}, {"status": 520}])
def test_checks_are_repeated_after_a_fault_that_passes(
    hub: Any, connect: Callable[..., HfApi], fault: dict[str, Any]
) -> None:
    api = connect(hub, "hf_write")
    for path in ("/api/whoami-v2", "/api/validate-yaml"):
        hub.fail(path, **fault)
    check_repositories(api, REPOSITORIES)
    check_metadata({"csr": ModelCard("---\nlicense: mit\n---\n")})
    assert len(hub.asked("/api/whoami-v2")) == 2 and len(hub.asked("/api/validate-yaml")) == 2


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("answer", [b"[]", b'{"what": 1}', b'"me"', b"null", b"<html>", b""])
def test_answers_of_another_shape(
    hub: Any, connect: Callable[..., HfApi], answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    json_type = {"Content-Type": "application/json"}
    for check in (lambda api: check_repositories(api, REPOSITORIES), lambda api: full_repository_name(api, "csr")):
        monkeypatch.setattr(hub, "answer", lambda request: hub_server.Answer(answer, 200, json_type))
        with pytest.raises(ValueError, match=f"The Hub at {hub.url} gave an answer that cannot be understood"):
            check(connect(hub, "hf_write"))


@pytest.mark.usefixtures("hasty")
@pytest.mark.skipif(not hasattr(constants, "AGENT_HARNESSES_PATH"), reason="The client keeps no such file.")
@pytest.mark.parametrize("contents", ['[{"what": "is this"}]', '{"harnesses": [1]}', '{"harnesses": {"a": 5}}'])
def test_damaged_file_of_the_client_is_named(
    contents: str, hub: Any, connect: Callable[..., HfApi], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".agent_harnesses.json"
    path.write_text(contents)
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", str(path))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr("huggingface_hub.utils._detect_agent._registry", None)
    with pytest.raises(
        ValueError, match=rf"^{path}, where the Hub's client .* is damaged .*Delete that file"
    ) as caught:
        check_repositories(connect(hub, "hf_org"), HubRepositories("org/csr", "csr", ()))
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("hasty")
def test_metadata_that_the_hub_refuses(hub: Any, connect: Callable[..., HfApi]) -> None:
    connect(hub)
    good = ModelCard("---\nlicense: mit\nbase_model: org/encoder\n---\n")
    check_metadata({"emotion-encoder": good, "csr": good})
    bad = ModelCard("---\nlicense: mit\nbase_model: /my/encoder\n---\n")
    with pytest.raises(ValueError, match=r"of the card of csr: .*base_model.* with value .*/my/encoder.* is not valid"):
        check_metadata({"emotion-encoder": good, "csr": bad})
    hub.fail("/api/validate-yaml", 500)
    with pytest.raises(ValueError, match=r"could not check the card of csr: .*500"):
        check_metadata({"csr": good})


# -- a whole run ------------------------------------------------------------------------------------------------------


def test_local_names_pass_the_check(
    hub: Any, connect: Callable[..., HfApi], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encoder and data are known by paths, and a folder has a name that no id has."""
    connect(hub)
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    place = tiny_run.workplace(tmp_path)
    posts = (place / "data" / "posts").rename(place / "data" / "my posts: (2024)")
    argv = tiny_run.options(place, place / "out", emotion_dataset=posts, push_to_hub=True, hub_model_id="org/csr")
    runner = Runner(parse_run_arguments(argv))
    checked = [request.json()["content"] for request in hub.asked("/api/validate-yaml")]
    assert len(checked) == 4
    # What comes before is named by where it will be; the encoder has no name for others.
    assert "base_model:\n- org/csr-emotion-encoder\n- org/csr-sentiment-encoder\n- org/csr-siamese\n" in checked[3]
    assert "base_model" not in checked[0]
    for content in checked:
        assert str(place) not in content and "datasets:" not in content
    assert "name: 'my posts: (2024)'\n      type: my-posts-2024\n" in checked[3]
    assert runner.publisher is not None and runner.publisher.repositories.name == "org/csr"
    assert not hub.repositories and not (place / "out").exists()


def test_name_of_the_output_folder(
    hub: Any, connect: Callable[..., HfApi], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(hub)
    place = tiny_run.workplace(tmp_path)
    monkeypatch.chdir(place)
    argv = tiny_run.options(place, "outputs/csr.2", push_to_hub=True, hub_token="hf_write")
    publisher = Runner(parse_run_arguments(argv)).publisher
    assert publisher is not None and publisher.repositories["siamese"] == "me/csr.2-siamese"


def test_command_refuses_before_it_trains(hub: Any, tmp_path: Path) -> None:
    place = tiny_run.workplace(tmp_path)
    argv = tiny_run.options(place, place / "out", push_to_hub=True, hub_model_id="org/csr", hub_token="hf_read")
    environment = hub.environment(tmp_path / "home", PYTHONPATH=str(tiny_run.REPOSITORY), OMP_NUM_THREADS="1")
    result = fresh_process.run(tiny_run.REPOSITORY / "examples" / "run_csr.py", *argv, env=environment)
    assert result.returncode == 1
    assert "csr-emotion train: error: The token is read-only: run `hf auth login`" in result.stderr
    assert "Traceback" not in result.stderr and "hf_read" not in result.stderr + result.stdout
    assert not (place / "out").exists() and not hub.repositories
