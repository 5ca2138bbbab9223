"""The Hub on loopback, tested with the real client in processes of its own."""

import hashlib
import json
import runpy
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

hub_server = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("hub_server.py"))))
Token = hub_server.Token

TOKENS = {
    "hf_write": Token("me", organisations={"org": "admin"}),
    "hf_read": Token("me", "read", {"org": "admin"}),
    "hf_reader": Token("reader", organisations={"org": "read"}),
    "hf_stranger": Token("stranger"),
    "hf_fine": Token(
        "me", "fineGrained", {"org": "admin"}, {"org/tiny": ("repo.write",), "me": ("repo.content.read",)}
    ),
}
CARD = "---\nlicense: mit\nlanguage: en\ntags: [emotion]\nbase_model: org/encoder\n---\n# Tiny\n"
FILES = {
    "README.md": CARD.encode(),
    "config.json": b"{}",
    "deep/er/note.txt": b"a",
    "vectors.npy": bytes(range(256)) * 999,
}

SHA_OF_ZEROS = hashlib.sha256(bytes(200)).hexdigest()

# `outcome(call, ...)` gives None, or the exception's name and the status that the server answered with.
PREAMBLE = """
import json, sys
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download, snapshot_download
api = HfApi()
def outcome(call, *arguments, **keywords):
    try:
        result = call(*arguments, **keywords)
        list(result) if hasattr(result, "__next__") else None
    except Exception as error:
        return [type(error).__name__, getattr(getattr(error, "response", None), "status_code", None)]
def put(text, path="note.txt", repo="org/tiny", **keywords):
    return outcome(api.upload_file, path_or_fileobj=text.encode(), path_in_repo=path, repo_id=repo, **keywords)
"""


@pytest.fixture
def hub() -> Iterator[Any]:
    with hub_server.HubServer(TOKENS, organisations=("elsewhere",)) as server:
        yield server


@pytest.fixture
def client(hub: Any, tmp_path: Path) -> Callable[..., Any]:
    """`client(code, *arguments, token="hf_write", home="home")`: run it in a fresh process; the JSON that it prints."""

    def run(code: str, *arguments: Any, token: str | None = "hf_write", home: str = "home", **changes: str) -> Any:
        result = subprocess.run(
            [sys.executable, "-c", PREAMBLE + code, *map(str, arguments)],
            env=hub.environment(tmp_path / home, token, **changes),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


def add(hub: Any, name: str = "org/tiny", private: bool = False) -> Any:
    hub.repositories[name] = hub_server.storage.Repository("model", name, "me", private)
    return hub.repositories[name]


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_folder_comes_back_byte_for_byte(hub: Any, client: Callable[..., Any], tmp_path: Path) -> None:
    folder = write(tmp_path / "folder", FILES)
    first = client(
        """
from pathlib import Path
api.create_repo("org/tiny")
first = api.upload_folder(repo_id="org/tiny", folder_path=sys.argv[1]).oid
api.create_tag("org/tiny", tag="v1")
again = api.upload_folder(repo_id="org/tiny", folder_path=sys.argv[1]).oid
Path(sys.argv[1], "config.json").write_text('{"a": 1}')
second = api.upload_folder(repo_id="org/tiny", folder_path=sys.argv[1], commit_message="Change").oid
print(json.dumps([first, again, second, api.list_repo_tree("org/tiny", revision="v1") and first]))
""",
        folder,
    )
    repository = hub.repositories["org/tiny"]
    assert first[0] == first[1] != first[2]  # nothing new, no commit
    assert [commit.title for commit in repository.commits] == [
        "initial commit",
        "Upload folder using huggingface_hub",
        "Change",
    ]
    assert len(hub.asked("/commit/main$", "POST")) == 2
    assert repository.tags == {"v1": first[0]}
    assert {".gitattributes", *FILES} == set(repository.files())
    assert repository.files("v1") | FILES == repository.files("v1")
    assert repository.files() == repository.files("v1") | {"config.json": b'{"a": 1}'}
    assert repository.card_data() == {
        "license": "mit",
        "language": "en",
        "tags": ["emotion"],
        "base_model": "org/encoder",
    }
    # Only the array went to LFS, once, and without the token.
    assert [request.authorised for request in hub.asked("^/lfs/[0-9a-f]*$", "PUT")] == [False]

    folders = client(
        f"""
print(json.dumps([snapshot_download("org/tiny", revision=revision) for revision in ("main", "v1", "{first[0]}")]))
""",
        token=None,
        home="elsewhere",
    )
    assert [read(Path(path)) for path in folders] == [repository.files(name) for name in ("main", "v1", "v1")]
    assert [Path(path).name for path in folders] == [first[2], first[0], first[0]]
    assert not hub.asked("resolve")[-1].authorised


def test_what_the_client_can_ask_of_a_repository(hub: Any, client: Callable[..., Any]) -> None:
    found = client(
        """
url = api.create_repo("org/tiny", private=True)
assert api.create_repo("org/tiny", exist_ok=True) == url
twice = outcome(api.create_repo, "org/tiny")
array = bytes(200)
operations = [CommitOperationAdd(path, content) for path, content in
              {"README.md": sys.argv[1].encode(), "deep/er/note.txt": b"a", "vectors.npy": array}.items()]
commit = api.create_commit("org/tiny", operations, commit_message="Title", commit_description="More").oid
api.create_branch("org/tiny", branch="next/one")
branch = api.upload_file(path_or_fileobj=b"b", path_in_repo="b.txt", repo_id="org/tiny", revision="next/one").oid
info = api.model_info("org/tiny", files_metadata=True)
array = {file.rfilename: file for file in info.siblings}["vectors.npy"]
refs = api.list_repo_refs("org/tiny")
answers = {
    "url": [url.repo_id, url.repo_type], "twice": twice,
    "info": [info.sha == commit, info.private, info.tags, info.card_data.base_model, array.size, array.lfs["sha256"]],
    "commits": [[c.title, c.message, c.authors] for c in api.list_repo_commits("org/tiny")],
    "refs": [[ref.ref, {commit: "commit", branch: "branch"}[ref.target_commit]] for ref in refs.branches],
    "tree": [entry.path for entry in api.list_repo_tree("org/tiny", recursive=True)],
    "top": [entry.path for entry in api.list_repo_tree("org/tiny")],
    "deep": [entry.path for entry in api.list_repo_tree("org/tiny", "deep")],
    "paths": [entry.path for entry in api.get_paths_info("org/tiny", ["deep", "README.md", "none"])],
    "missing": [outcome(hf_hub_download, "org/tiny", "none"),
                outcome(hf_hub_download, "org/tiny", "b.txt", revision="v9"),
                outcome(api.list_repo_tree, "org/tiny", "none"), outcome(api.delete_file, "none", "org/tiny"),
                put("text", revision="v9"), outcome(api.model_info, "org/none")],
    "exists": [api.file_exists("org/tiny", "b.txt"), api.file_exists("org/tiny", "b.txt", revision="next/one"),
               api.revision_exists("org/tiny", "next/one"), api.revision_exists("org/tiny", "v9")],
    "behind": put("text", parent_commit=branch),
}
api.delete_file("vectors.npy", "org/tiny")
api.delete_folder("deep", "org/tiny")
api.delete_branch("org/tiny", branch="next/one")
api.create_tag("org/tiny", tag="v1", revision=commit)
answers["again"] = outcome(api.create_tag, "org/tiny", tag="v1")
api.update_repo_settings("org/tiny", private=False)
print(json.dumps(answers))
""",
        CARD,
    )
    assert found == {
        "url": ["org/tiny", "model"],
        "twice": ["HfHubHTTPError", 409],
        "info": [
            True,
            True,
            ["emotion", "en", "license:mit", "base_model:org/encoder"],
            "org/encoder",
            200,
            SHA_OF_ZEROS,
        ],
        "commits": [["Title", "More", ["me"]], ["initial commit", "", ["me"]]],
        "refs": [["refs/heads/main", "commit"], ["refs/heads/next/one", "branch"]],
        "tree": [".gitattributes", "README.md", "deep", "deep/er", "deep/er/note.txt", "vectors.npy"],
        "top": [".gitattributes", "README.md", "deep", "vectors.npy"],
        "deep": ["deep/er"],
        "paths": ["README.md", "deep"],
        "missing": [
            ["RemoteEntryNotFoundError", 404],
            ["RevisionNotFoundError", 404],
            ["RemoteEntryNotFoundError", 404],
            ["RemoteEntryNotFoundError", 404],
            ["RevisionNotFoundError", 404],
            ["RepositoryNotFoundError", 404],
        ],
        "exists": [False, True, True, False],
        "behind": ["HfHubHTTPError", 412],
        "again": ["HfHubHTTPError", 409],
    }
    repository = hub.repositories["org/tiny"]
    assert set(repository.files()) == {".gitattributes", "README.md"}
    assert repository.files("v1")["vectors.npy"] == bytes(200)
    assert not repository.private
    assert set(repository.branches) == {"main"}

    assert client("""
api.delete_repo("org/tiny")
print(json.dumps(outcome(api.delete_repo, "org/tiny")))
""") == ["RepositoryNotFoundError", 404]
    assert not hub.repositories


def test_blobs_have_the_ids_of_git() -> None:
    # git hash-object, of "hello\n" and of the pointer that git lfs makes of it
    File = hub_server.storage.File
    assert File(b"hello\n").oid == "ce013625030ba8dba906f756967f9e9ca394464a"
    pointer = (
        b"version https://git-lfs.github.com/spec/v1\n"
        b"oid sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\nsize 6\n"
    )
    assert File(b"hello\n", lfs=True).oid == File(pointer).oid


ASK = """
print(json.dumps([
    outcome(api.model_info, "org/secret"), outcome(hf_hub_download, "org/secret", ".gitattributes"),
    put("text", repo="org/tiny"), outcome(api.create_repo, "org/new"),
    outcome(api.create_collection, title="New", namespace="org"),
]))
"""
NOT_FOUND = ["RepositoryNotFoundError", 404]
HIDDEN = ["RepositoryNotFoundError", 401]
UNKNOWN, FORBIDDEN = ["HfHubHTTPError", 401], ["HfHubHTTPError", 403]


@pytest.mark.parametrize(
    ("token", "outcomes"),
    [
        (None, [HIDDEN, HIDDEN, UNKNOWN, UNKNOWN, UNKNOWN]),
        ("hf_wrong", [UNKNOWN] * 5),
        ("hf_stranger", [NOT_FOUND, NOT_FOUND, FORBIDDEN, FORBIDDEN, FORBIDDEN]),
        ("hf_reader", [None, None, FORBIDDEN, FORBIDDEN, FORBIDDEN]),
        ("hf_read", [None, None, FORBIDDEN, FORBIDDEN, FORBIDDEN]),
        ("hf_fine", [NOT_FOUND, NOT_FOUND, None, FORBIDDEN, FORBIDDEN]),
        ("hf_write", [None] * 5),
    ],
)
def test_what_a_token_may_do(
    hub: Any, client: Callable[..., Any], token: str | None, outcomes: list[list[Any] | None]
) -> None:
    add(hub)
    add(hub, "org/secret", private=True)
    assert client(ASK, token=token) == outcomes
    assert ("org/new" in hub.repositories) == (outcomes[3] is None)
    assert len(hub.repositories["org/tiny"].commits) == (2 if outcomes[2] is None else 1)


def test_tokens_tell_what_they_are_for(hub: Any, client: Callable[..., Any]) -> None:
    found = client("""
def about(token):
    user = api.whoami(token=token)
    access = user["auth"]["accessToken"]
    scoped = access.get("fineGrained", {}).get("scoped", [])
    scopes = {scope["entity"]["name"]: scope["permissions"] for scope in scoped}
    return [user["name"], {org["name"]: org["roleInOrg"] for org in user["orgs"]}, access["role"], scopes]
print(json.dumps({
    "tokens": [about(token) for token in ("hf_write", "hf_read", "hf_fine")],
    "wrong": outcome(api.whoami, token="hf_wrong"),
    "organisations": [api.get_organization_overview("elsewhere").name, outcome(api.get_organization_overview, "none")],
}))
""")
    assert found == {
        "tokens": [
            ["me", {"org": "admin"}, "write", {}],
            ["me", {"org": "admin"}, "read", {}],
            ["me", {"org": "admin"}, "fineGrained", {"org/tiny": ["repo.write"], "me": ["repo.content.read"]}],
        ],
        "wrong": UNKNOWN,
        "organisations": ["elsewhere", ["HfHubHTTPError", 404]],
    }


RESULT = "task: {type: c}, dataset: {type: d, name: d}, metrics: [{type: f1, value: 1}]"


@pytest.mark.parametrize(
    ("card", "complaint"),
    [
        ("base_model: ./encoder", '"base_model" with value "./encoder" is not valid'),
        ("base_model: /data/encoder", '"base_model" with value "/data/encoder" is not valid'),
        ("base_model: ~/encoder", '"base_model" with value "~/encoder" is not valid'),
        ("base_model: [org/encoder, a/b/c]", '"base_model" with value "a/b/c" is not valid'),
        ("datasets: [posts, ../data]", '"datasets" with value "../data" is not valid'),
        ("language: English", '"language" with value "English" is not valid'),
        ("language: no", '"language" with value "False" is not valid'),  # YAML has Norway as false
        ("license: MIT", "not MIT"),
        ("widget: {text: hello}", '"widget" must be an array'),
        ("model-index: {name: a}", '"model-index" must be an array'),
        ("model-index: [{name: a}]", '"model-index[0].results" is required'),
        (f"model-index: [{{results: [{{{RESULT}}}]}}]", '"model-index[0].name" is required'),
        (
            "model-index: [{name: a, results: [{task: {type: c}, dataset: {name: d}, metrics: []}]}]",
            '"model-index[0].results[0].dataset.type" is required',
        ),
        (
            f"model-index: [{{name: a, results: [{{{RESULT.replace('type: d', 'type: /d')}}}]}}]",
            '"model-index[0].results[0].dataset.type" with value "/d" fails',
        ),
        (
            f"model-index: [{{name: a, results: [{{{RESULT.replace(', value: 1', '')}}}]}}]",
            '"model-index[0].results[0].metrics[0].value" is required',
        ),
        ("a: [", "YAML cannot be read"),
    ],
)
def test_cards_that_are_refused(card: str, complaint: str) -> None:
    errors, _ = hub_server.storage.check_card(f"---\n{card}\n---\n", "model")
    assert len(errors) == 1
    assert complaint in errors[0]


def test_cards_that_are_accepted() -> None:
    check = hub_server.storage.check_card
    card = "\n".join(
        [
            "base_model: google-bert/bert-base-uncased",
            "datasets: [posts, org/posts.v2]",
            "language: [en, deu, multilingual]",
            "license: cc-by-nc-sa-4.0",
            "widget: [{text: hello}]",
            f"model-index: [{{name: a, results: [{{{RESULT}}}]}}]",
        ]
    )
    assert check(f"---\n{card}\n---\ntext", "model") == ([], [])
    assert check("no metadata", "model") == ([], ["empty or missing yaml metadata in repo card"])
    assert check("---\nsdk: gradio\ncolorFrom: mauve\n---\n", "space")[0] == [
        f'"colorFrom" must be one of {hub_server.storage.COLOURS}'
    ]


def test_bad_card_is_refused_before_anything_is_sent_and_in_the_commit(hub: Any, client: Callable[..., Any]) -> None:
    repository = add(hub)
    assert client("""
try:
    api.create_commit("org/tiny", [CommitOperationAdd("README.md", b"---\\nbase_model: ./here\\n---\\n"),
                                   CommitOperationAdd("other.txt", b"text")], commit_message="Card")
except ValueError as error:
    print(json.dumps(str(error).splitlines()))
""") == [
        "Invalid metadata in README.md.",
        '- "base_model" with value "./here" is not valid. Use an id from https://hf.co/models.',
    ]
    assert not hub.asked("preupload|commit")

    lines = [
        {"key": "header", "value": {"summary": "Card"}},
        {"key": "file", "value": {"path": "README.md", "content": "LS0tCmxpY2Vuc2U6IE1JVAotLS0K"}},  # license: MIT
    ]
    request = urllib.request.Request(
        f"{hub.url}/api/models/org/tiny/commit/main",
        "\n".join(map(json.dumps, lines)).encode(),
        {"Authorization": "Bearer hf_write"},
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == 400
    assert "license" in json.load(error.value)["error"]
    assert len(repository.commits) == 1


def test_which_refusals_the_client_tries_again(hub: Any, client: Callable[..., Any]) -> None:
    repository = add(hub)
    hub.fail("/preupload/", 429, times=1, headers={"Retry-After": "0"})
    assert client('print(json.dumps(put("text")))') is None
    assert [request.status for request in hub.asked("/preupload/")] == [429, 200]
    assert len(repository.commits) == 2

    # The commit itself is sent once only, whatever the answer.
    statuses = [401, 403, 409, 413, 429, 500, 503]
    for status in statuses:
        hub.fail("/commit/", status, headers={"Retry-After": "0"})
    assert client(f'print(json.dumps([put("new") for _ in {statuses}]))') == [
        ["HfHubHTTPError", status] for status in statuses
    ]
    assert [request.status for request in hub.asked("/commit/")] == [200, *statuses]
    assert len(repository.commits) == 2


def test_connections_that_are_cut(hub: Any, client: Callable[..., Any]) -> None:
    repository = add(hub)
    # An upload to LFS is taken up again.
    hub.fail("^/lfs/", method="PUT", drop=True)
    assert client('print(json.dumps(put("1" * 3_000_000, "vectors.npy")))') is None
    assert [request.status for request in hub.asked("^/lfs/", "PUT")] == [None, 200]
    before = repository.files()
    assert before["vectors.npy"] == b"1" * 3_000_000

    # A commit is not, and leaves no trace; unless it was the answer that got lost.
    hub.fail("/commit/", drop=True)
    hub.fail("/commit/", swallow=True)
    first, second = client('print(json.dumps([put("2" * 1_000_000), put("3")]))')
    assert first[0] in ("RemoteProtocolError", "ReadError", "WriteError")
    assert second[0] in ("RemoteProtocolError", "ReadError")
    assert [commit.files.keys() - before.keys() for commit in repository.commits[-2:]] == [set(), {"note.txt"}]
    assert repository.files() == before | {"note.txt": b"3"}

    # An upload that is refused leaves the repository as it was, too.
    hub.fail("^/lfs/", 403, method="PUT")
    assert client('print(json.dumps(put("4" * 1000, "vectors.npy")))') == ["RuntimeError", None]
    assert repository.files()["vectors.npy"] == before["vectors.npy"]


def test_half_a_commit_is_none(hub: Any) -> None:
    repository = add(hub)
    items = [
        ("header", {"summary": "Cut"}),
        *(("file", {"path": name, "content": "YQ=="}) for name in ("a.txt", "b.txt")),
    ]
    lines = [json.dumps({"key": key, "value": value}) + "\n" for key, value in items]
    size = len("".join(lines))
    head = "POST /api/models/org/tiny/commit/main HTTP/1.1\r\nAuthorization: Bearer hf_write\r\n"
    for part in ("".join(lines[:-1]), "".join(lines)):
        with socket.create_connection(("127.0.0.1", int(hub.url.rsplit(":", 1)[1]))) as connection:
            connection.sendall(f"{head}Content-Length: {size}\r\n\r\n{part}".encode())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)  # the answer, or the end of the connection
    assert [request.status for request in hub.requests] == [None, 200]
    assert [commit.title for commit in repository.commits] == ["initial commit", "Cut"]


def test_server_that_is_away(hub: Any, client: Callable[..., Any]) -> None:
    add(hub)
    url = hub.url
    # Uploads are left out: the client tries for 23 seconds before it gives up.
    code = """
calls = [(api.whoami,), (api.create_repo, "org/new"), (api.model_info, "org/tiny")]
print(json.dumps([outcome(*call) for call in [*calls, (hf_hub_download, "org/tiny", ".gitattributes")]]))
"""
    assert client(code) == [None] * 4
    hub.stop()
    assert client(code) == [["ConnectError", None]] * 3 + [None]  # the file is in the cache
    hub.start()
    assert hub.url == url
    assert client(code) == [None, ["HfHubHTTPError", 409], None, None]
    hub.fail("", 503, times=-1)
    assert client(code) == [["HfHubHTTPError", 503]] * 3 + [None]
    hub.mend()
    hub.fail("whoami", after=1)
    assert [client(code)[0] for _ in range(3)] == [None, ["HfHubHTTPError", 500], None]


def test_gated_repository(hub: Any, client: Callable[..., Any]) -> None:
    add(hub).gated = "auto"
    code = """
calls = [(api.model_info, "org/tiny"), (hf_hub_download, "org/tiny", ".gitattributes")]
print(json.dumps([outcome(*call) for call in calls]))
"""
    assert client(code, token=None) == [None, ["GatedRepoError", 401]]
    assert client(code, token="hf_stranger") == [None, ["GatedRepoError", 403]]
    assert client(code) == [None, None]


def test_space(hub: Any, client: Callable[..., Any]) -> None:
    add(hub, "org/demo")  # a model of the same name
    assert client("""
url = api.create_repo("org/demo", repo_type="space", space_sdk="gradio")
bad = put("---\\nsdk: none\\n---\\n", "README.md", "org/demo", repo_type="space")
put("import gradio", "app.py", "org/demo", repo_type="space")
info = api.space_info("org/demo")
print(json.dumps([url.repo_type, bad, info.sdk, [file.rfilename for file in info.siblings]]))
""") == ["space", ["ValueError", None], "gradio", [".gitattributes", "README.md", "app.py"]]
    assert hub.repositories["spaces/org/demo"].files()["app.py"] == b"import gradio"
    assert set(hub.repositories["org/demo"].files()) == {".gitattributes"}


def test_collections(hub: Any, client: Callable[..., Any]) -> None:
    for index in range(5):
        add(hub, f"org/tiny-{index}")
    found = client("""
new = api.create_collection(title="Emotion models", namespace="org", description="Two", private=True)
same = api.create_collection(title="Emotion models", namespace="org", exists_ok=True)
twice = outcome(api.create_collection, title="Emotion models", namespace="org")
for index in range(5):
    full = api.add_collection_item(new.slug, f"org/tiny-{index}", "model", note=f"Note {index}")
again = outcome(api.add_collection_item, new.slug, "org/tiny-0", "model")
kept = api.add_collection_item(new.slug, "org/tiny-0", "model", exists_ok=True)
missing = outcome(api.add_collection_item, new.slug, "org/none", "model")
api.update_collection_item(new.slug, full.items[0].item_object_id, note="Changed")
api.delete_collection_item(new.slug, full.items[1].item_object_id)
renamed = api.update_collection_metadata(new.slug, title="Models of emotion", description="Four", private=False)
got = api.get_collection(new.slug)  # the old slug leads there, too
print(json.dumps({
    "slugs": [same.slug == new.slug, new.slug.rsplit("-", 1)[0], renamed.slug.rsplit("-", 1)[0]],
    "outcomes": [twice, again, missing, outcome(api.get_collection, "org/none-123"),
                 outcome(api.create_collection, title="Long", namespace="org", description="." * 151)],
    "items": [[item.item_id, item.note] for item in got.items], "kept": len(kept.items),
    "description": got.description,
    "listed": [[c.title, len(c.items)] for c in api.list_collections(owner="org")],
    "others": len(list(api.list_collections(owner="me"))),
}))
""")
    notes = [["org/tiny-0", "Changed"], *([f"org/tiny-{index}", f"Note {index}"] for index in (2, 3, 4))]
    assert found == {
        "slugs": [True, "org/emotion-models", "org/models-of-emotion"],
        "outcomes": [["HfHubHTTPError", status] for status in (409, 409, 404, 404)] + [["BadRequestError", 400]],
        "items": notes,
        "kept": 5,
        "description": "Four",
        "listed": [["Models of emotion", 4]],
        "others": 0,
    }
    assert [collection.private for collection in hub.collections] == [False]


def test_transformers_pushes_and_loads_a_model(hub: Any, client: Callable[..., Any]) -> None:
    pushed = client("""
import torch
from transformers import BertConfig, BertModel
sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
model = BertModel(BertConfig(vocab_size=11, **sizes))
model.push_to_hub("org/tiny", private=True, tags=["emotion"])
print(json.dumps(model.eval()(torch.tensor([[1, 2, 3]])).pooler_output.tolist()))
""")
    repository = hub.repositories["org/tiny"]
    assert {"config.json", "model.safetensors", "README.md"} <= set(repository.files())
    assert repository.resolve("main").files["model.safetensors"].lfs
    assert "emotion" in repository.card_data()["tags"]

    load = """
import torch
from transformers import AutoModel
print(json.dumps(AutoModel.from_pretrained("org/tiny")(torch.tensor([[1, 2, 3]])).pooler_output.tolist()))
"""
    assert client(load, home="elsewhere") == pushed
    hub.stop()
    assert client(load, home="elsewhere", token=None, HF_HUB_OFFLINE="1") == pushed
