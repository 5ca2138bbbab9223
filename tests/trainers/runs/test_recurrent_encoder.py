"""Untrained recurrent encoders: their vocabularies, their folders, and what an earlier call left there."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from modeling_csr import RecurrentEncoderModel
from tests.helpers import tiny_run
from trainers.data.tokenization import NORMALIZATION_STEPS, load_tokenizer
from trainers.runs.recurrent_encoder import RecurrentArguments, parse_branch, train_tokenizer, write_recurrent_encoder

TEXTS = ["I feel so happy @anna", "i feel sad &amp; low @bert", "so sad, so low! @carl", "happy happy day"]
STEPS = ("entities", "newlines", "users", "urls")


def write(folder: Path, texts: list[str] = TEXTS, seed: int = 1, **options: Any) -> Path:
    return write_recurrent_encoder(folder, RecurrentArguments(**options), texts, steps=STEPS, seed=seed)


# -- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "branch"),
    [
        ("lstm:64", {"type": "lstm", "hidden_size": 64}),
        ("bigru:32:2", {"type": "bigru", "hidden_size": 32, "num_layers": 2}),
        ("cnn:100:2,3", {"type": "cnn", "hidden_size": 100, "kernel_sizes": [2, 3]}),
    ],
)
def test_branches(text: str, branch: dict[str, Any]) -> None:
    assert parse_branch(text) == branch


@pytest.mark.parametrize("text", ["lstm", "rnn:8", "lstm:0", "lstm:8:1,2", "lstm:8,8", "cnn:8:", "cnn:8:3:4", "gru:-1"])
def test_bad_branches(text: str) -> None:
    with pytest.raises(ValueError, match=f"--branches {text}: expected TYPE:SIZE"):
        RecurrentArguments(branches=[text])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocabulary_size": 4}, "--vocabulary_size must be more than 4, got 4"),
        ({"embedding_size": 0}, "--embedding_size must be at least 1, got 0"),
        ({"hidden_dropout": 1.0}, r"--hidden_dropout must be at least 0 and below 1, got 1.0"),
        ({"embeddings_from": "some", "embedding_size": 8}, "give --projection_size for another width"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecurrentArguments(**options)


# -- vocabularies -----------------------------------------------------------------------------------------------------


def test_words_that_occur_twice() -> None:
    tokenizer = train_tokenizer(TEXTS, "words", 100, STEPS)
    words = {"i", "feel", "so", "happy", "sad", "low", "@", "user"}
    assert set(tokenizer.get_vocab()) == {"[PAD]", "[UNK]", "[CLS]", "[SEP]"} | words
    assert tokenizer.tokenize("I feel GREAT") == ["i", "feel", "[UNK]"]
    assert tokenizer.convert_ids_to_tokens(tokenizer("so low")["input_ids"]) == ["[CLS]", "so", "low"]
    # A text without a word is no text without a token.
    assert tokenizer(" ")["input_ids"] == [tokenizer.cls_token_id]
    assert tokenizer.pad_token_id == 0


def test_largest_vocabulary() -> None:
    assert len(train_tokenizer(TEXTS, "words", 6)) == 6
    # All letters belong to a vocabulary of pieces, and no more than they where the size is smaller.
    assert len(train_tokenizer(TEXTS, "wordpieces", 6)) == len(train_tokenizer(TEXTS, "wordpieces", 20))


def test_word_pieces_know_parts_of_other_words() -> None:
    tokenizer = train_tokenizer(TEXTS, "wordpieces", 100, STEPS)
    pieces = tokenizer.tokenize("lowday")
    assert len(pieces) > 1 and "[UNK]" not in pieces and "".join(pieces).replace("##", "") == "lowday"


@pytest.mark.parametrize("vocabulary", ["words", "wordpieces"])
def test_runs_take_the_tokenizer(tmp_path: Path, vocabulary: str) -> None:
    write(tmp_path, vocabulary=vocabulary)
    tokenizer = load_tokenizer(tmp_path, NORMALIZATION_STEPS, max_length=4)
    ids = tokenizer("so @dora", truncation=True)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["[CLS]", "so", "@", "user"]
    assert tokenizer("so so so so so", truncation=True)["input_ids"][1:] == ids[1:2] * 3


# -- folders ----------------------------------------------------------------------------------------------------------


def test_same_seed_same_encoder(tmp_path: Path) -> None:
    first, again, other = (AutoModel.from_pretrained(write(tmp_path / str(i), seed=s)) for i, s in enumerate((1, 1, 2)))
    assert type(first) is RecurrentEncoderModel and first.config.hidden_size == 256
    weights = [torch.cat([value.flatten() for value in model.parameters()]) for model in (first, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_options_reach_the_encoder(tmp_path: Path) -> None:
    options = {"branches": ["cnn:4:2,3", "gru:5"], "embedding_size": 7, "projection_size": 6, "embedding_dropout": 0.4}
    model = AutoModel.from_pretrained(write(tmp_path, **options, hidden_dropout=0.2))
    assert model.config.hidden_size == 13
    assert model.word_embeddings.weight.shape == (len(AutoTokenizer.from_pretrained(tmp_path)), 7)
    assert model.projection.out_features == 6
    assert (model.config.embedding_dropout, model.config.hidden_dropout) == (0.4, 0.2)


def test_a_second_call_finds_the_first_ones_folder(tmp_path: Path) -> None:
    written = write(tmp_path / "start") / "model.safetensors"
    before = written.stat().st_mtime_ns
    write(tmp_path / "start")
    assert written.stat().st_mtime_ns == before
    for changes in ({"seed": 2}, {"embedding_size": 9}, {"texts": TEXTS[:-1]}):
        with pytest.raises(ValueError, match=r"start was made with other options:\n  .* there, .* here"):
            write(tmp_path / "start", **changes)


def test_a_call_that_was_killed_is_made_good(tmp_path: Path) -> None:
    folder = write(tmp_path / "start")
    tiny_run.write_jsonl(folder / "stage.json", [tiny_run.read_json(folder / "stage.json") | {"files": None}])
    (folder / "model.safetensors").unlink()
    assert type(AutoModel.from_pretrained(write(folder))) is RecurrentEncoderModel


def test_a_damaged_folder_is_made_good(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    weights = write(tmp_path / "start") / "model.safetensors"
    expected = weights.read_bytes()
    weights.write_bytes(expected[:-4] + bytes(4))
    with caplog.at_level("WARNING"):
        write(tmp_path / "start")
    assert weights.read_bytes() == expected and str(weights) in caplog.text


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="was not written by this command"):
        write(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_embeddings_of_a_pretrained_encoder(tmp_path: Path) -> None:
    pretrained = tiny_run.write_encoder(tmp_path / "bert")
    folder = write(tmp_path / "start", embeddings_from=str(pretrained), projection_size=6)
    model, expected = AutoModel.from_pretrained(folder), AutoModel.from_pretrained(pretrained)
    table = expected.get_input_embeddings().weight
    assert torch.equal(model.word_embeddings.weight[1:], table[1:]) and not model.word_embeddings.weight[0].any()
    assert AutoTokenizer.from_pretrained(folder).get_vocab() == AutoTokenizer.from_pretrained(pretrained).get_vocab()
    # Where it lies on this machine is nobody else's business.
    assert str(tmp_path) not in (folder / "stage.json").read_text() + (folder / "config.json").read_text()
    with pytest.raises(ValueError, match="made with other options"):
        write(folder, embeddings_from=str(tiny_run.write_encoder(tmp_path / "other", seed=5)), projection_size=6)
