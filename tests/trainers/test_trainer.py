import dataclasses
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, EvalPrediction
from transformers.trainer_utils import get_last_checkpoint

from trainers.csr_trainer import CSRTrainer
from trainers.evaluation import PairMetrics
from trainers.recipes import Stage
from trainers.recipes.library import CSR, CSR_PREDICTION
from trainers.runs.prepared_run import PreparedRun
from trainers.runs.stage_trainers import build_trainer
from trainers.trainer import StageTrainer

KINDS = ("one-task", "two-tasks", "three-tasks", "siamese", "csr", "dialogue")
NAMED_LOSSES = {
    "two-tasks": {"emotion_loss": 1.0, "sentiment_loss": 0.5},
    "csr": {"prediction_loss": 1.0, "reconstruction_loss": 0.7},
}


def run(tiny: ModuleType, kind: str, folder: Path, batch: int, accumulate: int = 1, **options: Any) -> StageTrainer:
    options = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulate, **options}
    trainer = tiny.trainer(kind, folder, **options)
    trainer.train()
    return trainer


def assert_same_training(tiny: ModuleType, trainer: StageTrainer, expected: StageTrainer) -> None:
    steps, expected_steps = tiny.logged_steps(trainer), tiny.logged_steps(expected)
    assert len(steps) == len(expected_steps)
    for step, expected_step in zip(steps, expected_steps, strict=True):
        assert step == pytest.approx(expected_step, rel=1e-5)
    weights, expected_weights = tiny.trained_weights(trainer.model), tiny.trained_weights(expected.model)
    assert weights.keys() == expected_weights.keys()
    for name, weight in weights.items():
        torch.testing.assert_close(weight, expected_weights[name], rtol=0, atol=1e-5, msg=lambda text, n=name: n + text)


# -- the loss is that of the global batch ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_accumulation_trains_as_one_big_batch_does(tiny: ModuleType, kind: str, tmp_path: Path) -> None:
    # 21 rows: the last batch of an epoch has 5 of 8, and the last of its parts is not full either.
    whole = run(tiny, kind, tmp_path, 8)
    assert len(tiny.logged_steps(whole)) == 6
    start = tiny.trained_weights(tiny.trainer(kind, tmp_path).model)
    for name, weight in tiny.trained_weights(whole.model).items():
        assert weight.dim() == 1 or not torch.equal(weight, start[name]), name
    for batch, accumulate in ((1, 8), (2, 4)):
        assert_same_training(tiny, run(tiny, kind, tmp_path, batch, accumulate), whole)


def test_common_space_trains_on_tokens_as_on_their_representations(tiny: ModuleType, tmp_path: Path) -> None:
    options = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}
    from_tokens, from_vectors = (tiny.trainer(kind, tmp_path, **options) for kind in ("csr-tokens", "csr"))
    for encoder in (from_tokens.model.csr.emotion_encoder, *from_tokens.model.csr.source_encoders):
        dropouts = [module for module in encoder.modules() if isinstance(module, nn.Dropout)]
        assert dropouts
        for dropout in dropouts:
            dropout.p = 0.5  # a frozen encoder has none, though the model trains
    for trainer in (from_tokens, from_vectors):
        trainer.train()
    assert_same_training(tiny, from_tokens, from_vectors)


def test_frozen_parts_stay_as_they_are(tiny: ModuleType, tmp_path: Path) -> None:
    trained, fresh = run(tiny, "csr", tmp_path, 8).model, tiny.csr_model()
    for part in ("csr.emotion_encoder", "csr.source_encoders", "csr.siamese"):
        after, before = trained.get_submodule(part).state_dict(), fresh.get_submodule(part).state_dict()
        assert all(torch.equal(after[name], value) for name, value in before.items())


def test_batch_without_rows_of_a_task_has_no_loss_of_it(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = tiny.trainer("two-tasks", tmp_path, num_train_epochs=1, per_device_train_batch_size=4)
    trainer.train_dataset = [row for row in trainer.train_dataset if "labels_emotion" in row][:8]
    before = tiny.trained_weights(trainer.model)
    trainer.train()
    steps, after = tiny.logged_steps(trainer), tiny.trained_weights(trainer.model)
    assert [step["sentiment_loss"] for step in steps] == [0.0, 0.0]
    assert all(step["loss"] == pytest.approx(step["emotion_loss"]) for step in steps)
    assert torch.equal(before["heads.sentiment.weight"], after["heads.sentiment.weight"])
    assert not torch.equal(before["heads.emotion.weight"], after["heads.emotion.weight"])


# -- the loss is the one of the paper ----------------------------------------------------------------------------------


def cross_entropies(logits: np.ndarray, multi_hot: np.ndarray) -> np.ndarray:
    """Binary ones, meaned over the labels of each row."""
    return (np.log1p(np.exp(-np.abs(logits))) + np.maximum(logits, 0) - multi_hot * logits).mean(axis=1)


def loss_by_hand(kind: str, trainer: StageTrainer) -> float:
    """The loss of a batch that holds all rows."""
    model = trainer.model.eval()
    batch = trainer.data_collator([trainer.train_dataset[index] for index in range(len(trainer.train_dataset))])
    with torch.no_grad():
        if kind in ("one-task", "two-tasks", "three-tasks"):
            tokens = {name: value for name, value in batch.items() if name != "labels"}
            logits = {name: value.numpy() for name, value in model(**tokens).task_logits.items()}
            emotions = batch["labels"]["emotion"].numpy()
            rows = ~np.isnan(emotions[:, 0])
            loss = cross_entropies(logits["emotion"][rows], emotions[rows]).mean()
            if kind != "one-task":
                classes = batch["labels"]["sentiment"].numpy()
                rows = classes != -100
                assert rows.sum() == 7 and len(rows) == 21
                scores = logits["sentiment"][rows]
                chosen = scores[np.arange(len(scores)), classes[rows]]
                loss += 0.5 * (np.log(np.exp(scores).sum(axis=1)) - chosen).mean()
            if kind == "three-tasks":
                # Its learnt weights are still those of a variance of 1: a half of a squared error.
                errors = (logits["intensity"] - batch["labels"]["intensity"].numpy()) ** 2
                assert np.isfinite(errors).sum() == 20 and np.isfinite(errors).any(axis=1).sum() == 15
                loss += 0.5 * np.nanmean(errors)
            return loss
        if kind == "siamese":
            embeddings = model.siamese.projection(batch["emotion_representation"]).numpy()
            distances = np.sqrt(((embeddings[:, 0] - embeddings[:, 1]) ** 2).sum(axis=1))
            return ((distances - batch["labels"].numpy()) ** 2).mean()
        if kind == "dialogue":
            classes = batch.pop("labels")
            scores, chosen = model(**batch).logits, []
            for row, column in zip(*np.nonzero(classes.numpy() != -100), strict=True):
                chosen.append(-scores[row, column].log_softmax(-1)[classes[row, column]].item())
            assert len(chosen) == sum(map(len, trainer.train_dataset.dialogues)) < classes.numel()
            return float(np.mean(chosen))
        emotion, source = batch["emotion_representation"], batch["source_representations"][0]
        common = model.csr.common_encoder(torch.cat([source, emotion], dim=1))
        images = [model.csr.siamese.projection(half).numpy() for half in (model.csr.decoder(common), emotion)]
        distances = np.sqrt(((images[0] - images[1]) ** 2).sum(axis=1))
        return (
            cross_entropies(model.classifier(common).numpy(), batch["labels"].numpy()).mean() + 0.7 * distances.mean()
        )


@pytest.mark.parametrize("kind", KINDS)
def test_logged_loss_is_the_one_computed_by_hand(tiny: ModuleType, kind: str, tmp_path: Path) -> None:
    expected = loss_by_hand(kind, tiny.trainer(kind, tmp_path))
    for batch, accumulate in ((21, 1), (1, 21)):
        trainer = run(tiny, kind, tmp_path, batch, accumulate, num_train_epochs=1)
        (step,) = tiny.logged_steps(trainer)
        assert step["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", [*KINDS, "three-tasks"])
@pytest.mark.parametrize("batch", [2, 21])
def test_dev_loss_is_the_one_computed_by_hand(tiny: ModuleType, kind: str, batch: int, tmp_path: Path) -> None:
    # The size of the batches does not matter, where rows lack labels of a task either.
    trainer = tiny.trainer(kind, tmp_path, per_device_eval_batch_size=batch)
    assert trainer.evaluate()["eval_loss"] == pytest.approx(loss_by_hand(kind, trainer), rel=1e-5)


# -- what is logged ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NAMED_LOSSES)
def test_named_losses_add_up_to_the_loss(tiny: ModuleType, kind: str, tmp_path: Path) -> None:
    # Evaluations in between, and a log of several steps of several parts each.
    options = {"logging_steps": 2, "eval_strategy": "steps", "eval_steps": 1}
    trainer = run(tiny, kind, tmp_path, 2, 4, **options)
    entries = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert [entry["step"] for entry in entries] == [2, 4, 6]
    for entry in entries:
        assert all(entry[name] > 0 for name in NAMED_LOSSES[kind])
        parts = sum(weight * entry[name] for name, weight in NAMED_LOSSES[kind].items())
        assert parts == pytest.approx(entry["loss"], rel=1e-5)
    each = [entry for entry in run(tiny, kind, tmp_path, 8).state.log_history if "loss" in entry]
    for name in NAMED_LOSSES[kind]:
        assert entries[0][name] == pytest.approx((each[0][name] + each[1][name]) / 2, rel=1e-5)


@pytest.mark.parametrize("kind", ["one-task", "siamese"])
def test_single_loss_is_logged_once(tiny: ModuleType, kind: str, tmp_path: Path) -> None:
    steps = tiny.logged_steps(run(tiny, kind, tmp_path, 21, num_train_epochs=1))
    assert [set(step) for step in steps] == [{"loss", "grad_norm"}]


def test_run_that_goes_on_from_a_checkpoint_logs_and_learns_the_same(tiny: ModuleType, tmp_path: Path) -> None:
    whole = run(tiny, "csr", tmp_path / "whole", 8, save_strategy="epoch", save_total_limit=None)
    resumed = tiny.trainer("csr", tmp_path / "resumed", per_device_train_batch_size=8)
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-3"))
    assert_same_training(tiny, resumed, whole)


@pytest.mark.parametrize("kind", NAMED_LOSSES)
def test_trainer_that_trains_twice_logs_the_second_time_as_the_first(
    tiny: ModuleType, kind: str, tmp_path: Path
) -> None:
    trainer = run(tiny, kind, tmp_path, 8, logging_steps=2)
    steps = tiny.logged_steps(trainer)
    trainer.model.load_state_dict(tiny.trainer(kind, tmp_path).model.state_dict())
    trainer.optimizer = trainer.lr_scheduler = None
    trainer.train()
    for step, expected in zip(tiny.logged_steps(trainer), steps, strict=True):
        assert step == pytest.approx(expected, rel=1e-5)


# -- what is saved -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_saved_folders_hold_json_instead_of_pickled_arguments(tiny: ModuleType, kind: str, tmp_path: Path) -> None:
    trainer = run(tiny, kind, tmp_path, 8, num_train_epochs=1, save_strategy="epoch", hub_token="hf_not_for_others")
    trainer.save_model(str(tmp_path / "final"))
    checkpoint = Path(get_last_checkpoint(str(tmp_path)))
    for folder in (tmp_path / "final", checkpoint):
        assert (folder / "model.safetensors").is_file()
        assert not (folder / "training_args.bin").exists()
        saved = json.loads((folder / "training_args.json").read_text(encoding="utf-8"))
        assert saved["learning_rate"] == 0.05 and saved["per_device_train_batch_size"] == 8
    assert not [path for path in (tmp_path / "final").iterdir() if path.suffix in (".bin", ".pt", ".pth", ".pkl")]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not [path for path in files if b"hf_not_for_others" in path.read_bytes()]


def test_saved_model_predicts_the_same(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = run(tiny, "csr", tmp_path, 8, num_train_epochs=1)
    trainer.save_model(str(tmp_path / "final"))
    loaded, report = AutoModelForSequenceClassification.from_pretrained(tmp_path / "final", output_loading_info=True)
    assert not any(report.values())
    batch = tiny.tokenizer()(tiny.texts(5), padding=True, return_tensors="pt")
    model = trainer.model.eval()
    with torch.no_grad():
        torch.testing.assert_close(loaded.eval()(**batch).logits, model(**batch).logits)


# -- the Siamese stage -------------------------------------------------------------------------------------------------


def test_siamese_metrics_by_hand() -> None:
    distances, targets = np.array([0.2, 0.9, 0.4, 0.3]), np.array([0.0, 1.0, 0.25, 1.0])
    # Of the four (different, same) couples only (0.3, 0.4) is in the wrong order.
    assert PairMetrics()(EvalPrediction(distances, targets)) == pytest.approx(
        {"pair_auc": 0.75, "mean_distance_same": 0.3, "mean_distance_different": 0.6}
    )
    assert PairMetrics()(EvalPrediction(distances, np.zeros(4))) == pytest.approx({"mean_distance": 0.45})


# -- model-3.1 and model-3.3 are one code path -------------------------------------------------------------------------


def train_stage(stage: Stage, context: PreparedRun) -> CSRTrainer:
    trainer = build_trainer(stage, context)
    assert isinstance(trainer, CSRTrainer)
    trainer.train()
    return trainer


def test_model_3_3_without_reconstruction_loss_is_model_3_1(tiny: ModuleType, tmp_path: Path) -> None:
    # With dropout, so that the two must also draw the same random numbers.
    options = ["--common_dropout", "0.2", "--common_num_train_epochs", "2", "--common_train_batch_size", "5"]
    prediction = train_stage(CSR_PREDICTION, tiny.prepared_run(tmp_path, *options))
    without = tiny.prepared_run(tmp_path, *options, "--reconstruction_loss_weight", "0")
    trained, expected = train_stage(CSR, without).model, prediction.model
    assert trained.config.reconstruction_loss_weight == expected.config.reconstruction_loss_weight == 0
    for part in ("classifier", "csr.common_encoder"):
        after = trained.get_submodule(part).state_dict()
        for name, value in expected.get_submodule(part).state_dict().items():
            torch.testing.assert_close(after[name], value, rtol=0, atol=1e-6)

    # The test could tell: another weight gives another classifier, and training changes it at all.
    both = train_stage(CSR, tiny.prepared_run(tmp_path, *options)).model
    assert not torch.allclose(both.classifier.weight, expected.classifier.weight, rtol=0, atol=1e-5)
    fresh = build_trainer(CSR_PREDICTION, tiny.prepared_run(tmp_path, *options)).model
    assert not torch.allclose(fresh.classifier.weight, expected.classifier.weight, rtol=0, atol=1e-5)


def test_stage_starts_the_same_whatever_ran_before(tiny: ModuleType, tmp_path: Path) -> None:
    context = tiny.prepared_run(tmp_path)
    starts = []
    for draws in (0, 100):
        torch.rand(draws)
        np.random.rand(draws)
        starts.append(build_trainer(CSR, context).model.state_dict())
    assert all(torch.equal(value, starts[1][name]) for name, value in starts[0].items())
    context.args.training = dataclasses.replace(context.args.training, seed=7)
    other = build_trainer(CSR, context).model.state_dict()
    assert not torch.equal(other["classifier.weight"], starts[0]["classifier.weight"])
