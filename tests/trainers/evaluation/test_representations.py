import dataclasses
import json
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from modeling_csr import MultitaskForSequenceClassification
from trainers.csr_trainer import RepresentationDataset, collate_representations
from trainers.data.sealed_files import sealed_array
from trainers.data.tokenization import load_tokenizer
from trainers.evaluation.representations import write_representations
from trainers.recipes.library import CSR, CSR_PREDICTION, SIAMESE
from trainers.runs.stage_trainers import build_trainer


class Interrupted(Exception):
    pass


def interrupt_after(encoder: nn.Module, batches: int) -> Any:
    """Let a model run for so many batches and fail in the next one."""
    runs: list[int] = []

    def hook(*_: Any) -> None:
        runs.append(1)
        if len(runs) > batches:
            raise Interrupted

    return encoder.register_forward_pre_hook(hook)


def cache(tiny: ModuleType, path: Path, encoder: nn.Module, texts: list[str], **options: Any) -> np.ndarray:
    reading = {"encoder": encoder, "tokenizer": tiny.tokenizer(), "texts": texts, "max_length": 32, **options}
    return sealed_array(path, partial(write_representations, **reading))


@pytest.mark.parametrize("representation", ["pooled", "shared"])
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_rows_are_those_of_the_model_in_the_given_order(
    tiny: ModuleType, representation: str, batch_size: int, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    config = tiny.config(shared_layer_sizes=[10], representation=representation, classifier_dropout=0.5)
    encoder = type(tiny.encoder(1))(config)
    tiny.spread_out(encoder)
    texts = tiny.texts(9)
    lengths = [len(text) for text in texts]
    assert lengths != sorted(lengths) and lengths != sorted(lengths, reverse=True)
    for name, order in (("given", range(9)), ("reversed", range(8, -1, -1)), ("mixed", [4, 1, 7, 0, 8, 2, 6, 3, 5])):
        some = [texts[index] for index in order]
        # In train mode, as a trainer would leave it: dropout must not be in the representations.
        rows = cache(tiny, tmp_path / f"{name}.npy", encoder.train(), some, batch_size=batch_size)
        assert rows.shape == (9, 10 if representation == "shared" else tiny.HIDDEN_SIZE) and rows.dtype == np.float32
        encoder.eval()
        for text, row in zip(some, rows, strict=True):
            with torch.no_grad():
                expected = encoder(**tiny.tokenizer()(text, return_tensors="pt")).representation[0]
            np.testing.assert_allclose(row, expected.numpy(), atol=1e-5, rtol=0)


def test_long_texts_are_cut(tiny: ModuleType, tmp_path: Path) -> None:
    encoder, text = tiny.encoder(1), "a happy day in the sun"
    (cut, *_) = cache(tiny, tmp_path / "a.npy", encoder, [text, "joy"], max_length=4)
    with torch.no_grad():
        expected = encoder(**tiny.tokenizer()("a happy", return_tensors="pt")).representation[0]
    np.testing.assert_allclose(cut, expected.numpy(), atol=1e-5)


def test_second_call_reads_the_file(tiny: ModuleType, tmp_path: Path) -> None:
    encoder, texts, path = tiny.encoder(1), tiny.texts(6), tmp_path / "new" / "folder" / "rows.npy"
    first = np.array(cache(tiny, path, encoder, texts))
    written = path.stat().st_mtime_ns
    interrupt_after(encoder, 0)
    second = cache(tiny, path, encoder, texts)
    assert isinstance(second, np.memmap)
    assert np.array_equal(first, second)
    assert path.stat().st_mtime_ns == written


def test_writing_into_the_rows_leaves_the_file_alone(tiny: ModuleType, tmp_path: Path) -> None:
    encoder, texts, path = tiny.encoder(1), tiny.texts(6), tmp_path / "rows.npy"
    rows = cache(tiny, path, encoder, texts)
    content, before = path.read_bytes(), np.array(rows)
    rows[:] = 7
    rows.flush()
    RepresentationDataset(rows, [], np.zeros(6))[0]["emotion_representation"].fill_(8)
    assert rows[0, 0] == 8 and rows[1, 0] == 7
    del rows
    assert path.read_bytes() == content
    assert np.array_equal(cache(tiny, path, encoder, texts), before)


def test_interrupted_encoding_leaves_no_file_and_is_done_again(tiny: ModuleType, tmp_path: Path) -> None:
    encoder, texts, path = tiny.encoder(1), tiny.texts(6), tmp_path / "rows.npy"
    hook = interrupt_after(encoder, 1)
    with pytest.raises(Interrupted):
        cache(tiny, path, encoder, texts, batch_size=2)
    assert not list(tmp_path.glob("*.npy"))
    hook.remove()
    rows = cache(tiny, path, encoder, texts, batch_size=2)
    np.testing.assert_allclose(rows, tiny.representations(encoder, 6), atol=1e-5)
    assert {file.name for file in tmp_path.iterdir()} == {"rows.npy", "rows.npy.seal.json"}


def test_stages_of_all_processes_encode_each_text_once(tiny: ModuleType, tmp_path: Path) -> None:
    run = tiny.prepared_run(tmp_path)
    build_trainer(SIAMESE, run)
    folder = tmp_path / "representations"
    of_emotion_encoder = {path.name for path in folder.glob("*.npy")}
    assert len(of_emotion_encoder) == 2  # train and dev
    build_trainer(CSR, run)
    of_both_encoders = {path.name for path in folder.glob("*.npy")}
    assert len(of_both_encoders) == 4 and of_both_encoders > of_emotion_encoder
    # Another process has its tokenizer fresh from the file, and may have read other texts with it before.
    run = dataclasses.replace(run, tokenizer=load_tokenizer(str(tmp_path / "tokenizer")))
    build_trainer(CSR_PREDICTION, run)
    run.tokenizer(["a day", "joy"], truncation=True, max_length=5, padding="max_length")
    build_trainer(CSR, run)
    assert {path.name for path in folder.glob("*.npy")} == of_both_encoders


@pytest.mark.parametrize("changed", ["weights", "pooling", "max_length", "texts", "tokenizer"])
def test_what_changes_the_rows_is_encoded_anew(tiny: ModuleType, changed: str, tmp_path: Path) -> None:
    run = tiny.prepared_run(tmp_path)
    build_trainer(SIAMESE, run)
    if changed in ("weights", "pooling"):
        model = MultitaskForSequenceClassification.from_pretrained(tmp_path / "emotion-encoder")
        model.config.pooling = "max" if changed == "pooling" else model.config.pooling
        if changed == "weights":
            torch.nn.init.normal_(model.multitask.encoder.encoder.layer[0].output.dense.bias)
        model.save_pretrained(tmp_path / "emotion-encoder")
    elif changed == "max_length":
        run.args.training.max_length = 5
    elif changed == "texts":
        splits = run.tasks["emotion"].splits
        splits["train"] = splits["train"].select(range(11))
    else:
        run = dataclasses.replace(run, tokenizer=load_tokenizer(str(tmp_path / "tokenizer"), steps=()))
    trainer = build_trainer(SIAMESE, run)
    # Dev texts are encoded anew as well, unless only the training texts are others.
    assert len(list((tmp_path / "representations").glob("*.npy"))) == (3 if changed == "texts" else 4)
    assert len(trainer.train_dataset.representations) == (11 if changed == "texts" else 12)


# -- the dataset -------------------------------------------------------------------------------------------------------


def dataset(sources: int = 1) -> RepresentationDataset:
    emotion = np.arange(40, dtype=np.float32).reshape(20, 2)
    return RepresentationDataset(emotion, [emotion + 100 * (i + 1) for i in range(sources)], np.arange(20) % 3)


@pytest.mark.parametrize("sources", [0, 2])
def test_dataset_gives_both_halves_and_the_labels(sources: int) -> None:
    data = dataset(sources)
    assert len(data) == 20
    batch = collate_representations([data[3], data[0]])
    assert batch["emotion_representation"].tolist() == [[6, 7], [0, 1]]
    expected = [[[106, 107], [100, 101]], [[206, 207], [200, 201]]][:sources]
    assert [source.tolist() for source in batch["source_representations"]] == expected
    assert batch["labels"].tolist() == [0, 0] and batch["labels"].dtype == torch.int64


@pytest.mark.parametrize("part", ["emotion", "sources"])
def test_shuffling_moves_the_chosen_half_alone(part: str) -> None:
    data = dataset(2)
    before = json.dumps([[half.tolist() for half in (data.emotion, *data.sources)], data.labels.tolist()])
    shuffled = data.shuffled(part, 3)
    moved, still = (shuffled.emotion, shuffled.sources) if part == "emotion" else (shuffled.sources, shuffled.emotion)
    original, untouched = (data.emotion, data.sources) if part == "emotion" else (data.sources, data.emotion)
    assert np.array_equal(still, untouched)
    assert torch.equal(shuffled.labels, data.labels)
    moved, original = np.reshape(moved, (-1, 20, 2)), np.reshape(original, (-1, 20, 2))
    for rows, given in zip(moved, original, strict=True):
        assert not np.array_equal(rows, given) and sorted(rows.tolist()) == given.tolist()
    if part == "sources":
        assert np.array_equal(moved[0] + 100, moved[1])  # all sources are of the same other text
    assert json.dumps([[half.tolist() for half in (data.emotion, *data.sources)], data.labels.tolist()]) == before

    again, other = data.shuffled(part, 3), data.shuffled(part, 4)
    assert np.array_equal(again.emotion, shuffled.emotion) and np.array_equal(again.sources, shuffled.sources)
    assert not (np.array_equal(other.emotion, shuffled.emotion) and np.array_equal(other.sources, shuffled.sources))
