"""Stages that train a common space over tokens together with the emotion encoder."""

import logging
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback

import benchmarks.recipes
from modeling_csr import CSRForSequenceClassification
from tests.helpers import tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.csr_trainer import CSRTrainer, CSRTrainingArguments
from trainers.evaluation.metrics import score
from trainers.evaluation.task_metrics import TaskMetrics
from trainers.loop.collators import SingleTaskCollator
from trainers.recipes import RECIPES, CommonSpaceStage, EncoderStage
from trainers.runs.runner import Runner
from trainers.runs.stage_trainers import build_trainer

run_csr = tiny_run.example("run_csr").main

# The recipes that end in such a stage and need nothing but data.
assert benchmarks.recipes  # its recipes are among them
JOINT = {
    name: recipe.final
    for name, recipe in RECIPES.items()
    if isinstance(recipe.final, CommonSpaceStage)
    and recipe.final.trains_encoder
    and not any(stage.teachers for stage in recipe.stages)
}
STAGES = {stage.name: stage for stage in JOINT.values()}
WITH_SOURCES = [name for name, stage in STAGES.items() if stage.source_encoders]
EVERYTHING = max(JOINT, key=lambda recipe: ("siamese" in JOINT[recipe].starts_from, len(JOINT[recipe].source_encoders)))
Weights = dict[str, torch.Tensor]


def options(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    """A few steps a stage, which is enough to tell what was trained from what was not."""
    values = {
        "recipe": list(JOINT),
        "related_dataset": place / "data" / "moods",
        "head_learning_rate": 1e-2,
        "max_steps": 30,
        "freeze_word_embeddings": True,
        "threshold": "per_label",
        "per_device_eval_batch_size": 4,
    }
    return tiny_run.options(place, output_dir, **values | changes)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # With dropout: a run that goes on must go on with its random numbers, and frozen encoders must have none.
    return tiny_run.workplace(tmp_path_factory.mktemp("place"), dropout=0.1)


@pytest.fixture(scope="module")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of all these recipes."""
    output_dir = tmp_path_factory.mktemp("finished") / "out"
    run_csr(options(place, output_dir))
    return output_dir


def weights_of(folder: Path, prefix: str) -> Weights:
    """The saved weights below a prefix, without it."""
    found = load_file(folder / "model.safetensors")
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


def equal(one: Weights, other: Weights) -> list[bool]:
    assert one.keys() == other.keys() and one
    return [torch.equal(value, other[name]) for name, value in one.items()]


def unchanged(before: Weights, after: Weights) -> list[str]:
    """Which weights are the same, but for those without a gradient: a bias of all keys changes no attention."""
    return [name for name, value in before.items() if torch.equal(after[name], value) and not name.endswith("key.bias")]


# --- what is trained


def test_there_are_such_stages() -> None:
    assert JOINT and WITH_SOURCES
    for stage in STAGES.values():
        assert stage.config["common_level"] == "token"


@pytest.mark.parametrize("name", list(STAGES))
def test_only_the_frozen_parts_stay_as_they_were(finished: Path, place: Path, name: str) -> None:
    stage, folder = STAGES[name], finished / name
    for number, source in enumerate(stage.source_encoders):
        before = weights_of(finished / source.name, "multitask.")
        after = weights_of(folder, f"csr.source_encoders.{number}.")
        if stage.trains == "emotion_encoder":
            assert all(equal(after, before)), source.name
        else:
            assert unchanged(before, after) == ["encoder.embeddings.word_embeddings.weight"], source.name
    if stage.siamese:
        before = weights_of(finished / stage.siamese.name, "siamese.")
        assert all(equal(weights_of(folder, "csr.siamese."), before))
    after = weights_of(folder, "csr.emotion_encoder.encoder.")
    if stage.common_space:
        parent = finished / stage.common_space.name
        before = weights_of(parent, "csr.emotion_encoder.encoder.")
        space, theirs = (weights_of(place, "csr.common_encoder.") for place in (folder, parent))
        assert not any(equal(space, theirs)), "trained, too"
        assert max((space[key] - value).abs().mean() for key, value in theirs.items()) < 0.1
    elif stage.emotion_encoder:
        before = weights_of(finished / stage.emotion_encoder.name, "multitask.encoder.")
    else:
        before = weights_of(place / "encoder", "")
    assert unchanged(before, after) == ["embeddings.word_embeddings.weight"], "(--freeze_word_embeddings)"
    # It comes from there: only a few steps away.
    distances = [(after[key] - value).abs().mean() for key, value in before.items() if value.dim() > 1]
    assert max(distances) < 0.1


@pytest.mark.parametrize("name", list(STAGES))
def test_folder_is_complete_and_gives_the_same_scores(finished: Path, place: Path, name: str) -> None:
    """Text by text, in the order of the file, and so without padding."""
    folder = finished / name
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    assert type(model) is CSRForSequenceClassification
    assert model.config.common_level == "token"
    assert len(model.csr.source_encoders) == len(STAGES[name].source_encoders)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = tiny_run.emotion_rows(15, seed=2)
    with torch.no_grad():
        logits = np.array([model(**tokenizer(row["text"], return_tensors="pt")).logits[0].numpy() for row in rows])
    written = np.load(folder / "dev_logits.npy")
    np.testing.assert_allclose(written, logits, rtol=0, atol=1e-5)
    assert logits.std(axis=0).min() > 2e-4, "the texts must differ, or their order could not be told"
    results = tiny_run.read_json(folder / "eval_results.json")
    labels = np.array([[row[label] for label in tiny_run.EMOTIONS] for row in rows])
    thresholds = list(results["thresholds"].values())
    assert list(results["thresholds"]) == list(tiny_run.EMOTIONS) and model.config.thresholds == thresholds
    expected = score(written, labels, "multi_label_classification", thresholds)
    assert results["metrics"] == pytest.approx(expected)
    assert results["metrics_at_0.5"] == pytest.approx(score(written, labels, "multi_label_classification"))
    assert (folder / "README.md").is_file()
    assert tiny_run.read_json(folder / "stage.json")["files"]


@pytest.mark.parametrize("name", list(STAGES))
def test_halves_are_shuffled_where_there_are_two(finished: Path, name: str) -> None:
    results = tiny_run.read_json(finished / name / "eval_results.json")
    if name not in WITH_SOURCES:
        assert "shuffled" not in results
        return
    assert results["shuffled"].keys() == {"emotion", "sources"}
    for scores in results["shuffled"].values():
        assert scores.keys() == results["metrics"].keys()


@pytest.mark.parametrize("name", list(STAGES))
def test_rates_and_losses_in_the_log(finished: Path, name: str) -> None:
    made_from = tiny_run.read_json(finished / name / "stage.json")["made_from"]
    assert made_from["training"]["head_learning_rate"] == 1e-2
    logged = [entry for entry in tiny_run.read_json(finished / name / "training_log.json") if "loss" in entry]
    assert len(logged) == 3
    weight = STAGES[name].config.get("reconstruction_loss_weight", 1.0)
    for entry in logged:
        if weight:
            assert entry["reconstruction_loss"] > 0
        else:
            assert "reconstruction_loss" not in entry
        expected = entry["prediction_loss"] + weight * entry.get("reconstruction_loss", 0.0)
        assert entry["loss"] == pytest.approx(expected, rel=1e-3)


def test_representation_without_token_states_is_refused_before_training(place: Path, tmp_path: Path) -> None:
    changes = {"representation": "shared", "shared_layer_sizes": [12]}
    with pytest.raises(SystemExit, match=f"--representation shared: the stage {JOINT[EVERYTHING].name} reads token"):
        run_csr(options(place, tmp_path / "out", recipe=[EVERYTHING], **changes))
    assert not (tmp_path / "out").exists()


def test_related_recipes_say_what_to_do_without_goemotions(place: Path, tmp_path: Path) -> None:
    recipes = [recipe for recipe in JOINT if any("related" in stage.tasks for stage in RECIPES[recipe].stages)]
    assert recipes
    said = r"goemotions, unless --related_dataset(.|\n)*should contain train\.tsv(.|\n)*--recipe bert-head-rate"
    with pytest.raises(SystemExit, match=said):
        run_csr(options(place, tmp_path / "out", recipe=recipes[:1], related_dataset=None, data_dir=tmp_path))
    assert not (tmp_path / "out").exists()


def test_common_space_learnt_from_several_labels_a_text_serves_for_one(place: Path, tmp_path: Path) -> None:
    changes = {"recipe": ["few-labels"], "emotion_dataset": place / "data" / "moods"}
    related = {"related_dataset": place / "data" / "posts", "related_label_columns": list(tiny_run.EMOTIONS)}
    run_csr(options(place, tmp_path, emotion_label_columns=None, threshold="fixed", **changes, **related))
    rows = tiny_run.label_rows(tiny_run.EMOTIONS, 15, seed=2)
    first, second = (
        AutoModelForSequenceClassification.from_pretrained(tmp_path / name)
        for name in ("related-space", "common-space-from-related")
    )
    assert first.config.problem_type == "multi_label_classification"
    assert second.config.problem_type == "single_label_classification"
    assert list(second.config.label2id) == sorted(tiny_run.EMOTIONS)
    results = tiny_run.read_json(tmp_path / "common-space-from-related" / "eval_results.json")
    said = np.load(tmp_path / "common-space-from-related" / "dev_logits.npy").argmax(axis=1)
    right = [row["label"] == second.config.id2label[label] for row, label in zip(rows, said, strict=True)]
    assert results["metrics"]["accuracy"] == pytest.approx(np.mean(right))


# --- killed and continued


class Kill(TrainerCallback):
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 25:
            raise KeyboardInterrupt


def test_killed_stage_goes_on(finished: Path, place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    output_dir, stage = tmp_path / "out", JOINT[EVERYTHING]
    for parent in RECIPES[EVERYTHING].stages[:-1]:
        shutil.copytree(finished / parent.name, output_dir / parent.name)
    changes = {"recipe": [EVERYTHING], "save_strategy": "steps", "save_steps": 10}
    argv = options(place, output_dir, **changes)
    runner = Runner(parse_run_arguments(argv))
    runner.prepared.records[stage.name].write(output_dir / stage.name)
    trainer = build_trainer(stage, runner.prepared)
    trainer.add_callback(Kill())
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert (output_dir / stage.name / "checkpoint-20").is_dir()
    with caplog.at_level(logging.INFO, logger="trainers.runs.runner"):
        run_csr(argv)
    assert f"Continuing from {output_dir / stage.name / 'checkpoint-20'}." in caplog.text
    assert caplog.text.count("already finished") == len(RECIPES[EVERYTHING].stages) - 1
    mine, theirs = (load_file(folder / stage.name / "model.safetensors") for folder in (output_dir, finished))
    assert mine.keys() == theirs.keys()
    for name, value in mine.items():
        torch.testing.assert_close(value, theirs[name], rtol=0, atol=1e-6)
    first, second = (tiny_run.read_json(folder / stage.name / "eval_results.json") for folder in (output_dir, finished))
    assert first["thresholds"] == pytest.approx(second["thresholds"], abs=1e-5)
    assert first["shuffled"] == second["shuffled"]
    assert not list((output_dir / stage.name).glob("checkpoint-*"))


# --- shuffled halves


def joint_trainer(tiny: ModuleType, folder: Path, **changes: Any) -> CSRTrainer:
    """Over tokens and with larger weights, so that labels and halves matter."""
    torch.manual_seed(6)
    model = tiny.csr_model(common_level="token")
    rows, task = (
        [{**row, "labels": row.pop("labels_emotion")} for row in tiny.token_rows(21, ["emotion"])],
        {"emotion": tiny.EMOTION},
    )
    with torch.no_grad():
        model.classifier.output.weight.normal_(std=2)
    trainer = CSRTrainer(
        model=model,
        args=CSRTrainingArguments.derived_from(tiny.arguments(folder, **changes), trains="emotion_encoder"),
        train_dataset=rows,
        eval_dataset=rows,
        data_collator=SingleTaskCollator(tiny.tokenizer(), task),
        compute_metrics=TaskMetrics(task),
    )
    logits = trainer.predict(rows).predictions
    with torch.no_grad():
        # Each label for half of the texts: an untrained classifier may treat them all alike.
        model.classifier.output.bias -= tiny.middle(logits)
    return trainer


def test_one_text_a_batch_leaves_nothing_to_shuffle(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = joint_trainer(tiny, tmp_path, per_device_eval_batch_size=1)
    results, _ = trainer.report("per_label")
    assert results["shuffled"]["emotion"] == pytest.approx(results["metrics"])
    assert results["shuffled"]["sources"] == pytest.approx(results["metrics"])


@pytest.mark.parametrize(("ignored", "used"), [("sources", "emotion"), ("emotion", "sources")])
def test_half_that_the_common_space_ignores_costs_nothing(
    tiny: ModuleType, tmp_path: Path, ignored: str, used: str
) -> None:
    trainer = joint_trainer(tiny, tmp_path)
    with torch.no_grad():
        # [P_S; P_E]
        columns = slice(None, tiny.HIDDEN_SIZE) if ignored == "sources" else slice(tiny.HIDDEN_SIZE, None)
        trainer.model.csr.common_encoder[0].weight[:, columns] = 0
        logits = trainer.predict(trainer.eval_dataset).predictions
        trainer.model.classifier.output.bias -= tiny.middle(logits)
    results, _ = trainer.report("fixed")
    assert results["shuffled"][ignored] == pytest.approx(results["metrics"])
    assert results["shuffled"][used] != pytest.approx(results["metrics"])


@pytest.mark.parametrize("part", ["emotion", "sources"])
def test_shuffled_scores_by_hand(tiny: ModuleType, tmp_path: Path, part: str) -> None:
    """Text by text, without padding: the other text's states cut to the length, and zeros beyond its end."""
    trainer = joint_trainer(tiny, tmp_path, per_device_eval_batch_size=8, seed=5)
    results, _ = trainer.report("fixed")
    model, rows = trainer.model.eval(), trainer.eval_dataset
    generator = torch.Generator().manual_seed(5)
    orders = [start + torch.randperm(len(rows[start : start + 8]), generator=generator) for start in (0, 8, 16)]
    logits = []
    with torch.no_grad():
        states = [model.csr.encode(torch.tensor([row["input_ids"]])) for row in rows]
        for own, other in enumerate(torch.cat(orders).tolist()):
            length = len(rows[own]["input_ids"])
            emotion = states[other if part == "emotion" else own][0]
            source = states[other if part == "sources" else own][1][0]
            cut = [
                torch.nn.functional.pad(half, (0, 0, 0, max(length - half.shape[1], 0)))[:, :length]
                for half in (emotion, source)
            ]
            logits.append(model(emotion_representation=cut[0], source_representations=[cut[1]]).logits[0].numpy())
    labels = np.array([row["labels"] for row in rows])
    expected = score(np.array(logits), labels, "multi_label_classification")
    assert results["shuffled"][part] == pytest.approx(expected)
    assert results["shuffled"][part] != pytest.approx(results["metrics"])


def test_evaluation_leaves_the_model_as_it_is(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = joint_trainer(tiny, tmp_path)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    first, first_logits = trainer.report("per_label")
    again, logits = trainer.report("per_label")
    assert again == first and np.array_equal(logits["emotion"], first_logits["emotion"])
    assert all(equal(before, trainer.model.state_dict()))


def test_card_of_a_trainer_by_itself_says_whether_the_encoder_was_trained(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = joint_trainer(tiny, tmp_path)
    (tmp_path / "eval_results.json").write_text("{}")
    for trained, expected in ((False, "The encoders are frozen"), (True, "reads a **common space** of tokens")):
        trainer.encoders[0].requires_grad_(trained)
        trainer.create_model_card("space")
        assert expected in (tmp_path / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("trains", "joint"), [("encoders", True), ("emotion_encoder", True), ("common_space", False), ("classifier", False)]
)
def test_stage_is_joint_where_the_emotion_encoder_is_trained(trains: str, joint: bool) -> None:
    stage = CommonSpaceStage(name="some", emotion_encoder=EncoderStage(name="encoder"), trains=trains)
    assert stage.trains_encoder is joint
