"""Encoders that cannot work are refused before any training, in words that say which; nothing is written."""

from pathlib import Path

import huggingface_hub.constants
import pytest

from tests.helpers import tiny_run, tiny_trainers
from tests.helpers.refusals import check_refusal


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tiny_run.workplace(tmp_path)


@pytest.mark.parametrize("kind", ["csr", "dialogue"])
def test_models_with_more_than_an_encoder_are_no_encoders(place: Path, kind: str) -> None:
    model = tiny_trainers.csr_model() if kind == "csr" else tiny_trainers.dialogue_model()
    model.config.save_pretrained(place / "model")
    check_refusal(
        place,
        f"{place / 'model'} is a {kind} model, and no text encoder. Give",
        encoder=place / "model",
        recipe=["bert"],
    )


def test_encoders_with_different_tokenizers(place: Path) -> None:
    other = tiny_run.write_encoder(place / "other", extra_words=("brilliant", "dreadful"))
    check_refusal(place, str(place / "encoder"), str(other), "vocabulary size", sentiment_encoder=other)


def test_encoders_with_the_same_words_in_another_order(place: Path) -> None:
    """As many tokens in both: only the ids differ."""
    other = tiny_run.write_encoder(place / "other", extra_words=tuple(tiny_run.FILLERS[::-1]))
    check_refusal(place, str(place / "encoder"), str(other), "id of", sentiment_encoder=other)


def test_encoder_that_does_not_exist(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_refusal(place, str(place / "no-encoder"), encoder=place / "no-encoder")
    check_refusal(place, str(place / "no-encoder"), sentiment_encoder=place / "no-encoder")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    check_refusal(place, "org/no-such-encoder", encoder="org/no-such-encoder")


def test_encoder_without_tokenizer(place: Path) -> None:
    for path in (place / "encoder").glob("*token*"):
        path.unlink()
    check_refusal(place, str(place / "encoder"), "tokenizer")


@pytest.mark.parametrize("max_length", [65, 512])
def test_texts_longer_than_the_encoder_can_read(place: Path, max_length: int) -> None:
    check_refusal(place, "--max_length", str(max_length), "64", max_length=max_length)


def test_texts_longer_than_the_sentiment_encoder_can_read(place: Path) -> None:
    other = tiny_run.write_encoder(place / "other", max_position_embeddings=32)
    check_refusal(place, "--max_length", str(other), "32", sentiment_encoder=other)
