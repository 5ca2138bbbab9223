"""Publishing from folders that hold more than a model, and to a Hub that answers strangely."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import get_session

import modeling_csr
from tests.helpers import hub_server
from tests.helpers.published_stage import FILES
from tests.trainers.hub.test_publisher import card, edit, files, titles
from trainers.hub import retries
from trainers.hub.publisher import PublishingError, StagePublisher

# -- what lies in the folder besides -----------------------------------------------------------------------------------


def test_files_of_others_stay_at_home(
    hub: Any, publisher: Callable[..., StagePublisher], folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secret").write_text("of somebody")
    others = {".env", "train.csv", "model.bin.safetensors", "model_backup.py", "notes.md", "vocab.txt", "config.yaml"}
    # What the Hub's client writes into HF_HOME.
    others |= {".agent_harnesses.json", "token", "stored_tokens"}
    for name in others - {"vocab.txt"}:
        (folder / name).write_text("of somebody")
    (folder / "vocab.txt").symlink_to(tmp_path / "secret")
    with caplog.at_level("WARNING"):
        publisher().publish("csr", folder, "first")
    assert files(hub) == FILES
    (message,) = [record.getMessage() for record in caplog.records if "Not published" in record.getMessage()]
    assert all(name in message for name in others)


def test_code_is_that_of_the_package(
    hub: Any, publisher: Callable[..., StagePublisher], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "losses.py").write_text("import os; os.system('true')")
    with caplog.at_level("WARNING"):
        publisher().publish("csr", folder, "first")
    assert files(hub)["losses.py"] == Path(modeling_csr.losses.__file__).read_bytes()
    assert f"{folder / 'losses.py'} is not the code of the installed package" in caplog.text


# -- cards and answers of other shapes ---------------------------------------------------------------------------------


def test_card_that_cannot_be_merged_is_kept_beside(
    hub: Any, publisher: Callable[..., StagePublisher], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = "---\n1: x\nlicense: mit\n---\nMy words.\n"
    publisher().publish("csr", folder, "first")
    edit(hub, theirs)
    publisher().publish("csr", folder, "second")
    assert "Scores: first" in card(hub) and files(hub)["README.previous.md"].decode() == theirs
    assert "org/csr" in caplog.text and "README.previous.md" in caplog.text
    publisher().publish("csr", folder, "third")
    assert titles(hub)[-1] == "second", "nothing has changed since"


@pytest.mark.parametrize("answer", [b"[]", b'{"what": 1}', b'"x"', b"null"])
@pytest.mark.parametrize("path", ["/api/repos/create", "/api/models/org/csr", "/commit/main"])
def test_answers_of_another_shape_are_publishing_errors(
    hub: Any, publisher: Callable[..., StagePublisher], folder: Path, path: str, answer: bytes
) -> None:
    hub.interruptions.append((path, lambda: hub_server.Answer(answer, 200, {"Content-Type": "application/json"})))
    try:
        publisher(patience=0.1).publish("csr", folder, "first")
    except PublishingError as error:
        assert "org/csr could not be published" in str(error)
    # The next attempt finishes what the first has left.
    publisher().publish("csr", folder, "second")
    assert files(hub) == FILES


def test_a_hub_that_says_nothing_is_given_up(
    hub: Any, publisher: Callable[..., StagePublisher], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "LONGEST_SILENCE", 0.2)
    silence = threading.Event()
    hub.interruptions.append(("/api/repos/create", lambda: silence.wait(20) and None))
    begun = time.monotonic()
    try:
        publisher().publish("csr", folder, "first")
    finally:
        silence.set()
    assert time.monotonic() - begun < 15
    assert files(hub) == FILES
    assert get_session().timeout.read is None, "the client of others is as it was"


def test_an_empty_repository_of_a_failed_push_is_filled(
    hub: Any, publisher: Callable[..., StagePublisher], folder: Path
) -> None:
    hub.fail("/commit/", 403, times=1)
    with pytest.raises(PublishingError):
        publisher().publish("csr", folder, "first")
    assert "README.md" not in files(hub)
    publisher().publish("csr", folder, "second")
    assert files(hub) == FILES
