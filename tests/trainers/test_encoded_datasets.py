"""Trainers on frozen encoders: texts are read once, kept, and trained on as their representations are."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import default_data_collator

from trainers import (
    CSRTrainer,
    DialogueTrainer,
    DialogueTrainingArguments,
    SiameseTrainer,
    SiameseTrainingArguments,
)
from trainers.csr_trainer import RepresentationDataset, collate_representations
from trainers.dialogue_trainer import DialogueTokensCollator
from trainers.evaluation import embed_texts
from trainers.siamese_trainer import PairCollator, PairDataset, sample_pairs


def rows(tiny: ModuleType, size: int = 21) -> Dataset:
    return Dataset.from_dict({"text": tiny.texts(size), "labels": tiny.emotions(size).tolist()})


def same(tiny: ModuleType, first: Any, second: Any) -> bool:
    one, other = tiny.trained_weights(first.model), tiny.trained_weights(second.model)
    assert one.keys() == other.keys() and one
    return all(torch.allclose(value, other[name], rtol=0, atol=1e-6) for name, value in one.items())


def assert_drawn_from_representations(trainer: Any) -> None:
    """The vectors of the figure are those of the texts, though nothing reads the texts again."""
    numbers = np.array([4, 0, 7])
    texts = trainer.plain_datasets["eval"]["emotion"].select(numbers)["text"][:]
    expected = embed_texts(trainer.model, trainer.processing_class, texts)
    trainer.processing_class = None
    np.testing.assert_allclose(trainer.dev_vectors(numbers), expected, atol=1e-5)


def test_common_space_on_texts_is_that_on_their_representations(tiny: ModuleType, tmp_path: Path) -> None:
    options: dict[str, Any] = {"args": tiny.arguments(tmp_path), "processing_class": tiny.tokenizer()}
    on_texts = CSRTrainer(model=tiny.csr_model(), train_dataset=rows(tiny), eval_dataset=rows(tiny), **options)
    model = tiny.csr_model()
    emotion, source = (
        tiny.representations(one, 21) for one in (model.csr.emotion_encoder, model.csr.source_encoders[0])
    )
    prepared = RepresentationDataset(emotion, [source], tiny.emotions(21))
    on_vectors = CSRTrainer(model=model, train_dataset=prepared, data_collator=collate_representations, **options)
    for trainer in (on_texts, on_vectors):
        trainer.train()
    assert same(tiny, on_texts, on_vectors)
    results, logits = on_texts.report("global")
    assert logits["emotion"].shape == (21, 3) and results["shuffled"].keys() == {"emotion", "sources"}
    assert on_texts.model.config.thresholds == list(results["thresholds"].values())
    assert_drawn_from_representations(on_texts)


def test_pairs_are_drawn_of_texts(tiny: ModuleType, tmp_path: Path) -> None:
    args = SiameseTrainingArguments.derived_from(tiny.arguments(tmp_path), pairs_per_text=3, pair_target="jaccard")
    options: dict[str, Any] = {"args": args, "processing_class": tiny.tokenizer()}
    on_texts = SiameseTrainer(model=tiny.siamese_model(), train_dataset=rows(tiny), eval_dataset=rows(tiny), **options)
    model = tiny.siamese_model()
    pairs = sample_pairs(tiny.emotions(21), 63, "random", "jaccard", args.seed)
    prepared = PairDataset(tiny.representations(model.emotion_encoder, 21), *pairs)
    on_pairs = SiameseTrainer(model=model, train_dataset=prepared, data_collator=default_data_collator, **options)
    for trainer in (on_texts, on_pairs):
        trainer.train()
    assert same(tiny, on_texts, on_pairs)
    results, logits = on_texts.report()
    assert {"loss", "pair_auc"} <= results["metrics"].keys() and logits == {} and on_texts.tune_thresholds() == {}
    assert_drawn_from_representations(on_texts)


def test_encoder_is_trained_with_the_siamese_network_on_pairs_of_texts(tiny: ModuleType, tmp_path: Path) -> None:
    def trained(**options: Any) -> SiameseTrainer:
        args = SiameseTrainingArguments.derived_from(
            tiny.arguments(tmp_path), pairs_per_text=3, pair_target="jaccard", num_train_epochs=2, **options
        )
        data: dict[str, Any] = {"train_dataset": rows(tiny), "eval_dataset": rows(tiny)}
        model = tiny.siamese_model().requires_grad_(True)
        trainer = SiameseTrainer(model=model, args=args, processing_class=tiny.tokenizer(), **data)
        trainer.train()
        return trainer

    frozen = trained(learning_rate=0.01)
    before = {name: value.clone() for name, value in tiny.siamese_model().emotion_encoder.state_dict().items()}
    # An encoder that learns nothing gives the same network, from the same pairs, as one that read the texts before.
    still = trained(trains="encoder", learning_rate=0.0, head_learning_rate=0.01)
    assert len(still.train_dataset) == len(frozen.train_dataset) == 63 and not still.reads_vectors
    for name, value in frozen.model.siamese.named_parameters():
        torch.testing.assert_close(still.model.siamese.get_parameter(name), value, rtol=0, atol=1e-5)
    assert still.evaluate()["eval_loss"] == pytest.approx(frozen.evaluate()["eval_loss"], abs=1e-5)
    moved = trained(trains="encoder", learning_rate=0.01, head_learning_rate=0.01)
    assert any(not torch.equal(value, before[name]) for name, value in moved.model.emotion_encoder.state_dict().items())
    assert moved.evaluate()["eval_loss"] < frozen.evaluate()["eval_loss"]
    assert moved.card_fields() == {"joint": True} and frozen.card_fields() == {"joint": False}
    with pytest.raises(ValueError, match="trains must be one of siamese, encoder, got 'all'"):
        SiameseTrainingArguments(output_dir=str(tmp_path), trains="all")


def test_pairs_of_texts_are_padded_to_the_longest(tiny: ModuleType) -> None:
    tokenizer = tiny.tokenizer()
    texts = [tokenizer(text) for text in (tiny.texts(1)[0], " ".join(tiny.texts(3)))]
    found = PairCollator(tokenizer)([{"first": texts[0], "second": texts[1], "labels": 0.25}])
    longest = len(texts[1]["input_ids"])
    assert found["input_ids"].shape == (1, 2, longest) == found["attention_mask"].shape
    assert found["input_ids"][0, 1].tolist() == texts[1]["input_ids"]
    assert found["attention_mask"][0, 0].sum() == len(texts[0]["input_ids"]) < longest
    assert found["labels"].tolist() == [0.25]


def test_dialogues_are_read_from_their_columns(tiny: ModuleType, tmp_path: Path) -> None:
    talks = Dataset.from_dict(
        {
            "text": tiny.texts(6),
            "labels": ["good", "bad", "so-so", "bad", "good", "good"],
            "dialogue_id": ["b", "a", "b", "a", "b", "c"],
            "utterance_id": [1, 0, 0, 1, 2, 0],
            "speaker": ["x", "y", "y", "x", "x", "y"],
        }
    )
    options: dict[str, Any] = {"args": tiny.arguments(tmp_path), "processing_class": tiny.tokenizer()}
    trainer = DialogueTrainer(model=tiny.dialogue_model(), train_dataset=talks, eval_dataset=talks, **options)
    assert [found.tolist() for found in trainer.train_dataset.dialogues] == [[2, 0, 4], [1, 3], [5]]
    trainer.train()
    predicted = trainer.predict(talks)
    assert predicted.predictions.shape == (6, 3) and predicted.label_ids.tolist() == [2, 0, 1, 0, 2, 2]
    with pytest.raises(ValueError, match=r"train_dataset .*has no column dialogue_id"):
        DialogueTrainer(model=tiny.dialogue_model(), train_dataset=talks.remove_columns("dialogue_id"), **options)


def talks(tiny: ModuleType, size: int = 12) -> Dataset:
    """Three dialogues of unlike lengths, whose rows are mixed."""
    numbers = [0, 1, 0, 2, 0, 1, 0, 0, 1, 0, 0, 0]
    columns = {"text": tiny.texts(size), "labels": [("good", "bad", "so-so")[row % 3] for row in range(size)]}
    columns |= {"dialogue_id": [str(number) for number in numbers], "utterance_id": list(range(size))}
    return Dataset.from_dict(columns | {"speaker": [("x", "y")[row % 2] for row in range(size)]})


def test_encoder_is_trained_with_the_layers_over_its_dialogues(tiny: ModuleType, tmp_path: Path) -> None:
    def trained(**options: Any) -> DialogueTrainer:
        given = tiny.arguments(tmp_path, per_device_train_batch_size=2, num_train_epochs=3)
        model = tiny.dialogue_model().requires_grad_(True)
        data: dict[str, Any] = {"train_dataset": talks(tiny), "eval_dataset": talks(tiny)}
        args = DialogueTrainingArguments.derived_from(given, **options)
        trainer = DialogueTrainer(model=model, args=args, processing_class=tiny.tokenizer(), **data)
        trainer.train()
        return trainer

    frozen = trained(learning_rate=0.01)
    # An encoder that learns nothing leads to the same layers as one that read the utterances before.
    still = trained(trains="encoder", learning_rate=0.0, head_learning_rate=0.01)
    assert not still.reads_vectors and still.card_fields() == {"joint": True}
    for name, value in frozen.model.named_parameters():
        torch.testing.assert_close(still.model.get_parameter(name), value, rtol=0, atol=1e-5)
    rows = talks(tiny)
    np.testing.assert_allclose(still.predict(rows).predictions, frozen.predict(rows).predictions, atol=1e-5)
    moved = trained(trains="encoder", learning_rate=0.01, head_learning_rate=0.01)
    encoder = moved.model.dialogue.utterance_encoder
    start = tiny.dialogue_model().dialogue.utterance_encoder.state_dict()
    moved.draw_figures(tmp_path, *moved.report(), show_texts=True)
    assert (tmp_path / "attention.png").stat().st_size > 1000
    assert any(not torch.equal(value, start[name]) for name, value in encoder.state_dict().items())
    with pytest.raises(ValueError, match="trains must be one of dialogue, encoder, got 'all'"):
        DialogueTrainingArguments(output_dir=str(tmp_path), trains="all")


def test_tokens_of_dialogues_are_padded_in_both_directions(tiny: ModuleType) -> None:
    tokenizer = tiny.tokenizer()
    texts = [tokenizer(text) for text in tiny.texts(3)]
    labels, speakers = torch.tensor([0, 1]), torch.tensor([5, 6])
    rows = [
        {"utterances": texts[:1], "labels": labels[:1], "speaker_ids": speakers[:1]},
        {"utterances": texts[1:], "labels": labels, "speaker_ids": speakers},
    ]
    found = DialogueTokensCollator(tokenizer)(rows)
    longest = max(len(text["input_ids"]) for text in texts)
    assert found["input_ids"].shape == found["attention_mask"].shape == (2, 2, longest)
    assert found["utterance_mask"].tolist() == [[1, 0], [1, 1]] and found["labels"].tolist() == [[0, -100], [0, 1]]
    assert found["attention_mask"][0, 1].sum() == 0
    for text, ids, mask in zip(
        texts, found["input_ids"][[0, 1, 1], [0, 0, 1]], found["attention_mask"][[0, 1, 1], [0, 0, 1]], strict=True
    ):
        assert ids[mask.bool()].tolist() == text["input_ids"]


@pytest.mark.parametrize("kind", ["pairs", "dialogues"])
def test_parts_of_a_batch_add_up_to_it_where_the_encoder_is_trained(
    tiny: ModuleType, tmp_path: Path, kind: str
) -> None:
    """Dialogues of unlike lengths in particular: their utterances count, not the dialogues."""
    weights = []
    for size, steps in ((4, 1), (2, 2), (1, 4)):
        given = tiny.arguments(tmp_path, per_device_train_batch_size=size, gradient_accumulation_steps=steps)
        pairs = kind == "pairs"
        arguments, trainer = (
            (SiameseTrainingArguments, SiameseTrainer) if pairs else (DialogueTrainingArguments, DialogueTrainer)
        )
        args = arguments.derived_from(given, trains="encoder", learning_rate=0.01, num_train_epochs=1)
        model = (tiny.siamese_model() if pairs else tiny.dialogue_model()).requires_grad_(True)
        data = rows(tiny, 5) if pairs else talks(tiny)
        trained = trainer(model=model, args=args, train_dataset=data, processing_class=tiny.tokenizer())
        trained.train()
        weights.append(tiny.trained_weights(trained.model))
    for others in weights[1:]:
        for name, value in weights[0].items():
            torch.testing.assert_close(others[name], value, rtol=0, atol=1e-4)


def test_texts_are_encoded_once_for_all_trainers(tiny: ModuleType, tmp_path: Path) -> None:
    options: dict[str, Any] = {"args": tiny.arguments(tmp_path), "processing_class": tiny.tokenizer()}
    SiameseTrainer(model=tiny.siamese_model(), train_dataset=rows(tiny), **options)
    (found,) = (tmp_path / "representations").glob("*.npy")
    written = found.stat().st_mtime_ns
    # The emotion encoder of both models is the same; the source encoder reads the texts anew.
    CSRTrainer(model=tiny.csr_model(), train_dataset=rows(tiny), **options)
    assert len(list((tmp_path / "representations").glob("*.npy"))) == 2 and found.stat().st_mtime_ns == written


def test_encoder_that_changed_since_it_read_the_texts_is_noticed(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = CSRTrainer(
        model=tiny.csr_model(),
        args=tiny.arguments(tmp_path),
        train_dataset=rows(tiny),
        processing_class=tiny.tokenizer(),
    )
    with torch.no_grad():
        next(trainer.model.csr.source_encoders[0].parameters()).add_(1)
    with pytest.raises(ValueError, match="weights of a frozen encoder have changed since it read the texts"):
        trainer.train()


def test_frozen_parts_are_frozen_by_the_trainer(tiny: ModuleType, tmp_path: Path) -> None:
    model = tiny.csr_model()
    model.requires_grad_(True)
    trainer = CSRTrainer(
        model=model, args=tiny.arguments(tmp_path), train_dataset=rows(tiny), processing_class=tiny.tokenizer()
    )
    before = {name: value.clone() for name, value in model.csr.emotion_encoder.state_dict().items()}
    trainer.train()
    after = model.csr.emotion_encoder.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
