"""An utterance and those before it as one text."""

import pytest

from modeling_csr import utterance_in_context

TALK = [("Ana", "where are they"), ("Cy", "who"), ("Ben", "my keys"), ("Ana", "you had them"), ("Ben", "sorry")]


@pytest.mark.parametrize(
    ("turns", "text"),
    [
        (0, "sorry"),
        (1, "sorry [SEP] B: you had them"),
        (2, "sorry [SEP] B: you had them [SEP] A: my keys"),
        (9, "sorry [SEP] B: you had them [SEP] A: my keys [SEP] C: who [SEP] B: where are they"),
    ],
)
def test_the_latest_comes_first_and_speakers_are_letters(turns: int, text: str) -> None:
    assert utterance_in_context(TALK, turns) == text


def test_names_of_speakers_do_not_matter() -> None:
    renamed = [({"Ana": "x", "Ben": "y", "Cy": "z"}[speaker], text) for speaker, text in TALK]
    assert utterance_in_context(renamed, 4, "</s>") == utterance_in_context(TALK, 4).replace("[SEP]", "</s>")


@pytest.mark.parametrize(("utterances", "turns"), [([], 1), (TALK, -1)])
def test_what_cannot_be_joined(utterances: list[tuple[str, str]], turns: int) -> None:
    with pytest.raises(ValueError, match="at least one utterance and at least 0 turns"):
        utterance_in_context(utterances, turns)
