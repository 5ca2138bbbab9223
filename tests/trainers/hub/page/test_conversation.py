"""The page of a model of dialogues: what it says of each line, what it shows, and its use in a real browser."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from modeling_csr import DialogueForUtteranceClassification, MultitaskForSequenceClassification
from tests.helpers import tiny_run
from tests.helpers.page_server import running_page
from trainers.data import BUNDLED_POSTS

SPACE = tiny_run.REPOSITORY / "trainers" / "hub" / "page"
LABELS = list(tiny_run.EMOTIONS)
HOSTILE = '<img src=x onerror="alert(1)"> ${alert(2)} {{value}}'
TALK = [("Ana", "the day was so furious"), ("Ben", "my friend went home"), ("Ana", "we all said it again")]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of an untrained model of dialogues, and of its encoder as a classifier of single utterances."""
    folder = tmp_path_factory.mktemp("models")
    encoder = tiny_run.write_encoder(folder / "encoder")
    task = {"emotion": {"labels": LABELS, "problem_type": "single_label_classification"}}
    alone = MultitaskForSequenceClassification.from_encoder(str(encoder), task)
    names = {"id2label": dict(enumerate(LABELS)), "label2id": {name: index for index, name in enumerate(LABELS)}}
    torch.manual_seed(1)
    options = {"context": "past", "dialogue_size": 16, "num_attention_heads": 2}
    model = DialogueForUtteranceClassification.from_encoder(alone.multitask, **options, **names)
    # As it is initialised, it says about the same of everything.
    for name, parameter in model.named_parameters():
        if "utterance_encoder" not in name and parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    for name, one in (("talk", model), ("alone", alone)):
        one.save_pretrained(folder / name)
        AutoTokenizer.from_pretrained(encoder, model_max_length=64).save_pretrained(folder / name)
    return folder / "talk", folder / "alone"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("gradio", reason="the page needs gradio: pip install --editable '.[space]'")
    # The parts import each other by their plain names, as on the Hub.
    monkeypatch.syspath_prepend(SPACE)
    return importlib.import_module("conversation")


def test_each_line_is_read_after_those_before_it(page: ModuleType, models: tuple[Path, Path]) -> None:
    classifiers = [page.Classifier(str(folder)) for folder in models]
    assert [classifier.follows for classifier in classifiers] == [True, False]
    page.build_conversation(classifiers)
    folder, _ = models
    tracker = DialogueForUtteranceClassification.from_pretrained(folder).tracker(AutoTokenizer.from_pretrained(folder))
    talk = None
    for number, (speaker, text) in enumerate(TALK, start=1):
        status, left, talk, html, followed, alone = page.respond(classifiers, talk, speaker, text)
        expected = list(tracker.add(text, speaker=speaker).values())
        np.testing.assert_allclose(talk.lines[-1].scores[0], expected, atol=1e-5)
        np.testing.assert_allclose(talk.lines[-1].scores[1], classifiers[1].scores([text])[0], atol=1e-6)
        assert f"Line {number} is read." in status and left == ""
        best = LABELS[int(np.argmax(expected))]
        assert html.count("<li>") == number and f"talk: <strong>{best}</strong> {100 * max(expected):.0f} %" in html
        assert f"<strong>{best}</strong>" in followed and "Threshold" not in alone
    # The same line at the beginning of another conversation is read without those before.
    assert page.begin(classifiers)[2] is None
    *_, other, _, _, _ = page.respond(classifiers, None, *TALK[-1])
    assert np.abs(other.lines[0].scores[0] - talk.lines[-1].scores[0]).max() > 1e-3
    np.testing.assert_allclose(other.lines[0].scores[1], talk.lines[-1].scores[1], atol=1e-6)


def test_lines_that_cannot_be_read_change_nothing(page: ModuleType, models: tuple[Path, Path]) -> None:
    classifiers = [page.Classifier(str(models[0]))]
    *_, talk, _, _ = page.respond(classifiers, None, *TALK[0])
    for speaker, text, message in (
        ("Ben", "  ", "nothing to read yet"),
        (" ", "hello", "Who says it?"),
        ("Ben", "x" * 2001, "2,001 characters long; up to 2,000"),
    ):
        status, left, same, *_ = page.respond(classifiers, talk, speaker, text)
        assert message in status and left == text and same is talk and len(talk.lines) == 1
    talk.lines *= 200
    assert "begin another conversation" in page.respond(classifiers, talk, "Ben", "hello")[0]


def test_lines_and_speakers_are_escaped(page: ModuleType, models: tuple[Path, Path]) -> None:
    _, _, _, html, _ = page.respond([page.Classifier(str(models[0]))], None, HOSTILE, HOSTILE)
    assert "<img" not in html and html.count("&lt;img") == 2


@pytest.fixture(scope="module")
def address(browser: Any, models: tuple[Path, Path]) -> Iterator[str]:
    """`csr-emotion try` with both models, in a process of its own."""
    talk, alone = map(str, models)
    options = ["--model", talk, "--compare", alone, "--posts", str(BUNDLED_POSTS / "emotion")]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with running_page(SPACE / "app.py", *options, env=environment) as found:
        yield found


def test_a_conversation_is_typed_line_by_line(browser: Any, address: str) -> None:
    page = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
    page.set_default_timeout(90_000)
    dialogs, failures = [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#text textarea:focus, #text input:focus")
    for number, (speaker, text) in enumerate([*TALK, ("Ben", HOSTILE)], start=1):
        page.fill("#speaker textarea, #speaker input", speaker)
        page.fill("#text textarea, #text input", text)
        page.keyboard.press("Enter")
        page.wait_for_function("n => document.querySelectorAll('ol.talk li').length === n", arg=number)
    assert page.locator("ol.talk li b").all_inner_texts() == ["Ana", "Ben", "Ana", "Ben"]
    assert page.locator("ol.talk li q").last.inner_text() == HOSTILE
    assert all(any(label in line for label in LABELS) for line in page.locator("ol.talk li").all_inner_texts())
    assert page.locator(".model table.bars").count() == 2
    assert page.input_value("#text textarea, #text input") == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click("#again")
    page.wait_for_function("document.querySelectorAll('ol.talk li').length === 0")
    assert dialogs == [] and failures == []
