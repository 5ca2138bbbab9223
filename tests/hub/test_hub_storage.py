"""What the Hub on loopback keeps: blobs with the ids of git, and which cards it refuses."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.helpers.hub_cards import COLOURS, check_card
from tests.helpers.hub_storage import File


def test_blobs_have_the_ids_of_git() -> None:
    # git hash-object, of "hello\n" and of the pointer that git lfs makes of it
    assert File(b"hello\n").oid == "ce013625030ba8dba906f756967f9e9ca394464a"
    pointer = (
        b"version https://git-lfs.github.com/spec/v1\n"
        b"oid sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\nsize 6\n"
    )
    assert File(b"hello\n", lfs=True).oid == File(pointer).oid


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
    errors, _ = check_card(f"---\n{card}\n---\n", "model")
    assert len(errors) == 1
    assert complaint in errors[0]


def test_cards_that_are_accepted() -> None:
    check = check_card
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
    assert check("---\nsdk: gradio\ncolorFrom: mauve\n---\n", "space")[0] == [f'"colorFrom" must be one of {COLOURS}']


def test_bad_card_is_refused_before_anything_is_sent_and_in_the_commit(hub: Any, client: Callable[..., Any]) -> None:
    repository = hub.add_model()
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
