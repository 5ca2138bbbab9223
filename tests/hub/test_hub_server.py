"""The Hub on loopback, tested with the real client in processes of its own."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CARD = "---\nlicense: mit\nlanguage: en\ntags: [emotion]\nbase_model: org/encoder\n---\n# Tiny\n"
FILES = {
    "README.md": CARD.encode(),
    "config.json": b"{}",
    "deep/er/note.txt": b"a",
    "vectors.npy": bytes(range(256)) * 999,
}

SHA_OF_ZEROS = hashlib.sha256(bytes(200)).hexdigest()


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
    hub.add_model()
    hub.add_model("org/secret", private=True)
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


def test_gated_repository(hub: Any, client: Callable[..., Any]) -> None:
    hub.add_model().gated = "auto"
    code = """
calls = [(api.model_info, "org/tiny"), (hf_hub_download, "org/tiny", ".gitattributes")]
print(json.dumps([outcome(*call) for call in calls]))
"""
    assert client(code, token=None) == [None, ["GatedRepoError", 401]]
    assert client(code, token="hf_stranger") == [None, ["GatedRepoError", 403]]
    assert client(code) == [None, None]


def test_space(hub: Any, client: Callable[..., Any]) -> None:
    hub.add_model("org/demo")  # a model of the same name
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
        hub.add_model(f"org/tiny-{index}")
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
