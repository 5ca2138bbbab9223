"""Trainers that train LoRA adapters: what changes and what does not, and the invariances of training without them."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification, TrainerCallback

from modeling_csr import CSRForSequenceClassification, MultitaskForSequenceClassification
from tests.helpers.tiny_adapters import LORA, run
from trainers import CSRTrainer, DistillationTrainer, MultitaskTrainer
from trainers.csr_trainer import CSRTrainingArguments
from trainers.loop import with_adapter
from trainers.trainer import StageTrainer
from trainers.training_arguments import StageTrainingArguments

ENCODER = "multitask.encoder."


def build(tiny: ModuleType, folder: Path, peft_config: Any = LORA, kind: str = "one-task", **options: Any) -> Any:
    return tiny.trainer(kind, folder, peft_config=peft_config, **options)


def trained(tiny: ModuleType, folder: Path, *args: Any, **options: Any) -> Any:
    trainer = build(tiny, folder, *args, **{"per_device_train_batch_size": 8, **options})
    trainer.train()
    return trainer


class BeforeMerging(TrainerCallback):
    """Calls a function with the trained model whose adapters are still its own."""

    def __init__(self, read: Callable[[nn.Module], object]) -> None:
        self.read = read

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        self.read(model)


class EachStep(TrainerCallback):
    """Keeps the trained weights after each step."""

    def __init__(self) -> None:
        self.weights: list[dict[str, torch.Tensor]] = []

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        kept = {name: part.detach().clone() for name, part in model.named_parameters() if part.requires_grad}
        self.weights.append(kept)


def batch(tiny: ModuleType) -> dict[str, torch.Tensor]:
    return dict(tiny.tokenizer()(tiny.texts(5), padding=True, return_tensors="pt"))


def assert_equal(found: nn.Module, expected: nn.Module, tolerance: float = 0) -> None:
    torch.testing.assert_close(found.state_dict(), expected.state_dict(), rtol=0, atol=tolerance)


@pytest.fixture(scope="module")
def whole(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> StageTrainer:
    """Two epochs with a checkpoint each; read only."""
    folder = tmp_path_factory.mktemp("whole")
    return trained(tiny, folder, save_strategy="epoch", save_total_limit=None)


# -- what is trained ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"use_rslora": True}, {"init_lora_weights": "gaussian"}])
def test_only_adapters_and_heads_change(tiny: ModuleType, tmp_path: Path, options: dict[str, Any]) -> None:
    start = tiny.trainer("two-tasks", tmp_path).model.state_dict()
    trainer = build(tiny, tmp_path, LORA | options, "two-tasks", per_device_train_batch_size=8)
    trainable = {name for name, weights in trainer.model.named_parameters() if weights.requires_grad}
    assert trainable and all(".lora_" in name or name.startswith(("heads.", "multitask.shared")) for name in trainable)
    merging: dict[str, torch.Tensor] = {}
    scale = 6 / 3 ** (0.5 if "use_rslora" in options else 1)

    def keep_deltas(model: nn.Module) -> None:
        for name, layer in model.named_modules():
            if hasattr(layer, "lora_A"):
                merging[f"{name}.weight"] = scale * (layer.lora_B.emotion.weight @ layer.lora_A.emotion.weight).detach()

    trainer.callback_handler.callbacks.insert(0, BeforeMerging(keep_deltas))
    trainer.train()
    after = trainer.model.state_dict()
    assert after.keys() == start.keys() and len(merging) == 6
    for name, weights in after.items():
        if name in merging:
            assert merging[name].abs().max() > 1e-4
            torch.testing.assert_close(weights - merging[name], start[name], rtol=1e-5, atol=1e-6)
        elif name.startswith(ENCODER):
            assert torch.equal(weights, start[name]), name
        else:
            assert not torch.equal(weights, start[name]), name


def csr_trainer(tiny: ModuleType, folder: Path, trains: str, peft_config: Any = LORA, **options: Any) -> CSRTrainer:
    """A common space that is trained with its encoders, from tokens."""
    plain = tiny.trainer("csr-tokens", folder, per_device_train_batch_size=8, **options)
    model = plain.model.requires_grad_(True)
    torch.manual_seed(5)
    args = CSRTrainingArguments.derived_from(plain.args, trains=trains)
    rows = {"train_dataset": plain.train_dataset, "eval_dataset": plain.eval_dataset}
    return CSRTrainer(model=model, args=args, data_collator=plain.data_collator, peft_config=peft_config, **rows)


@pytest.mark.parametrize("trains", ["emotion_encoder", "encoders"])
def test_common_space_trains_with_adapters(tiny: ModuleType, tmp_path: Path, trains: str) -> None:
    start = tiny.csr_model().state_dict()
    trainer = csr_trainer(tiny, tmp_path, trains)
    adapted = {name.split(".encoder.")[0] for name, _ in trainer.model.named_parameters() if ".lora_" in name}
    both = {"csr.emotion_encoder", "csr.source_encoders.0"}
    assert adapted == (both if trains == "encoders" else {"csr.emotion_encoder"})
    trainer.train()
    changed = {name for name, weights in trainer.model.state_dict().items() if not torch.equal(weights, start[name])}
    assert trainer.model.state_dict().keys() == start.keys()
    assert {name.split(".encoder.")[0] for name in changed if ".encoder." in name} == adapted
    assert not any(name.startswith("csr.siamese.") for name in changed)
    for part in ("csr.common_encoder.", "csr.decoder.", "classifier."):
        assert {name for name in start if name.startswith(part)} <= changed, part
    for one in (trainer.model.csr.emotion_encoder, trainer.model.csr.source_encoders[0]):
        assert one.config.adapter is None
    # Two adapters are none that one folder could hold.
    trainer.save_model(str(tmp_path / "final"))
    assert not (tmp_path / "final" / "adapter").exists()
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path / "final").eval()
    tokens = batch(tiny)
    torch.testing.assert_close(run(loaded, tokens), run(trainer.model.eval(), tokens), rtol=1e-5, atol=1e-6)


def test_shared_backbone_stays_shared_in_training(tiny: ModuleType, tmp_path: Path) -> None:
    labels = tiny.EMOTION["labels"]
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    sides = []
    for name in ("emotion", "sentiment"):
        side = tiny.encoder(1)
        side.config.main_task = name
        sides.append(with_adapter(side, LORA))
    model = CSRForSequenceClassification.from_encoders(sides[0], sides[1:], shared_backbone=True, **names)
    for part in (model.csr.common_encoder, model.csr.decoder, model.classifier):
        tiny.spread_out(part)
    plain = tiny.trainer("csr-tokens", tmp_path, per_device_train_batch_size=8)
    start = {name: weights.clone() for name, weights in model.state_dict().items()}
    args = CSRTrainingArguments.derived_from(plain.args, trains="encoders")
    trainer = CSRTrainer(
        model=model, args=args, train_dataset=plain.train_dataset, data_collator=plain.data_collator, peft_config=LORA
    )
    trainer.train()
    after = trainer.model.state_dict()
    assert after.keys() == start.keys()
    for name, weights in after.items():
        if ".encoder." in name:
            assert torch.equal(weights, start[name]) == (".lora_" not in name), name
    owner, source = (part.encoder for part in trainer.model.csr.text_encoders)
    assert source.embeddings.word_embeddings.weight is owner.embeddings.word_embeddings.weight
    trainer.save_model(str(tmp_path / "final"))
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path / "final").eval()
    tokens = batch(tiny)
    torch.testing.assert_close(run(loaded, tokens), run(trainer.model.eval(), tokens), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"adapter": 0.25, "head": 0.5}),
        ({"adapter_learning_rate": 0.2}, {"adapter": 0.2, "head": 0.5}),
        ({"head_learning_rate": 0.01}, {"adapter": 0.25, "head": 0.01}),
    ],
)
def test_adapters_have_their_own_learning_rate(
    tiny: ModuleType, tmp_path: Path, options: dict[str, Any], expected: dict[str | None, float]
) -> None:
    trainer = build(tiny, tmp_path, **options)
    optimizer = trainer.create_optimizer()
    groups = [group for group in optimizer.param_groups if group["params"]]
    assert {group.get("lr_of"): group["lr"] for group in groups} == expected
    named = {weights: name for name, weights in trainer.model.named_parameters()}
    for group in groups:
        for weights in group["params"]:
            assert (".lora_" in named[weights]) == (group.get("lr_of") == "adapter")
    held = [weights for group in groups for weights in group["params"]]
    assert len(held) == len(set(held))
    assert set(held) == {weights for weights in trainer.model.parameters() if weights.requires_grad}


# -- invariances -------------------------------------------------------------------------------------------------------


def assert_same_training(tiny: ModuleType, found: StageTrainer, expected: StageTrainer, tolerance: float) -> None:
    steps, expected_steps = tiny.logged_steps(found), tiny.logged_steps(expected)
    assert len(steps) == len(expected_steps) == 6
    for step, expected_step in zip(steps, expected_steps, strict=True):
        assert step == pytest.approx(expected_step, rel=tolerance)
    assert_equal(found.model, expected.model, tolerance)


def test_accumulation_trains_as_one_big_batch_does(tiny: ModuleType, tmp_path: Path, whole: StageTrainer) -> None:
    for size, accumulate in ((1, 8), (2, 4)):
        options = {"per_device_train_batch_size": size, "gradient_accumulation_steps": accumulate}
        assert_same_training(tiny, trained(tiny, tmp_path, **options), whole, 1e-5)


def test_gradient_checkpointing_trains_the_same(tiny: ModuleType, tmp_path: Path, whole: StageTrainer) -> None:
    # What checkpointing recomputes reaches the adapters, though nothing below them is trained.
    found = trained(tiny, tmp_path, activation_checkpointing=True)
    assert any(getattr(module, "gradient_checkpointing", False) for module in found.model.modules())
    assert_same_training(tiny, found, whole, 1e-6)


def test_resumed_training_is_the_same_to_the_bit(tiny: ModuleType, whole: StageTrainer, tmp_path: Path) -> None:
    resumed = build(tiny, tmp_path, per_device_train_batch_size=8)
    resumed.train(resume_from_checkpoint=str(Path(whole.args.output_dir) / "checkpoint-3"))
    assert tiny.logged_steps(resumed)[-3:] == tiny.logged_steps(whole)[-3:]
    assert_equal(resumed.model, whole.model)


def test_checkpoint_loads_as_it_is(tiny: ModuleType, whole: StageTrainer) -> None:
    folder = Path(whole.args.output_dir) / "checkpoint-6"
    assert any(".lora_" in name for name in load_file(folder / "model.safetensors"))
    loaded, info = MultitaskForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values())
    tokens = batch(tiny)
    # It is the last one, and what was trained is merged since.
    torch.testing.assert_close(run(loaded, tokens), run(whole.model.eval(), tokens), rtol=1e-5, atol=1e-5)


def test_saved_model_is_merged_and_its_adapter_lies_beside(
    tiny: ModuleType, whole: StageTrainer, tmp_path: Path
) -> None:
    whole.save_model(str(tmp_path))
    names = load_file(tmp_path / "model.safetensors")
    assert not [name for name in names if "lora" in name or "base_layer" in name]
    tokens, expected = batch(tiny), None
    loaded, info = AutoModelForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values()) and loaded.config.adapter is None
    expected = run(whole.model.eval(), tokens)
    torch.testing.assert_close(run(loaded, tokens), expected, rtol=1e-5, atol=1e-6)
    pretrained = tiny.trainer("one-task", tmp_path).model
    alone = MultitaskForSequenceClassification.from_pretrained(tmp_path / "adapter", backbone=pretrained)
    torch.testing.assert_close(run(alone, tokens), expected, rtol=1e-5, atol=1e-5)


def test_averaged_weights_are_those_of_the_adapter(tiny: ModuleType, tmp_path: Path) -> None:
    """The mean of the adapters of all steps, not of what they are merged into."""
    watch = EachStep()
    trainer = build(tiny, tmp_path, per_device_train_batch_size=8, weight_averaging=0.5, callbacks=[watch])
    seen = watch.weights
    start = {name: part.detach().clone() for name, part in trainer.model.named_parameters()}
    trainer.train()
    averages = dict(seen[2])
    for later in seen[3:]:
        averages = {name: value + (later[name] - value) / 3 for name, value in averages.items()}
    after = trainer.model.state_dict()
    query = f"{ENCODER}encoder.layer.0.attention.self.query"
    delta = 2 * averages[f"{query}.lora_B.emotion.weight"] @ averages[f"{query}.lora_A.emotion.weight"]
    torch.testing.assert_close(after[f"{query}.weight"], start[f"{query}.base_layer.weight"] + delta)
    torch.testing.assert_close(after["heads.emotion.weight"], averages["heads.emotion.weight"])


def test_half_precision_merges_in_single_precision(tiny: ModuleType, tmp_path: Path, whole: StageTrainer) -> None:
    found = trained(tiny, tmp_path, bf16_weights=True)
    assert {weights.dtype for weights in found.model.parameters()} == {torch.float32}
    for step, expected in zip(tiny.logged_steps(found), tiny.logged_steps(whole), strict=True):
        assert step == pytest.approx(expected, rel=0.05)
    start = tiny.trainer("one-task", tmp_path).model.state_dict()
    query = f"{ENCODER}encoder.layer.0.attention.self.query.weight"
    moved, exact = (one.model.state_dict()[query] - start[query] for one in (found, whole))
    assert not torch.equal(moved, exact)
    torch.testing.assert_close(moved, exact, rtol=0, atol=0.1 * exact.abs().max().item())
    # bf16 would have left nothing of most of the change.
    assert (moved != 0).float().mean() > 0.99


@pytest.mark.parametrize("options", [{"use_dora": True}, {"lora_dropout": 0.5}])
def test_what_is_merged_says_what_was_trained(tiny: ModuleType, tmp_path: Path, options: dict[str, Any]) -> None:
    live: list[torch.Tensor] = []
    reader = BeforeMerging(lambda model: live.append(run(model.eval(), batch(tiny))))
    trainer = trained(tiny, tmp_path, LORA | options, callbacks=[reader])
    torch.testing.assert_close(run(trainer.model.eval(), batch(tiny)), live[0], rtol=1e-5, atol=1e-5)


def test_options_may_be_an_object(tiny: ModuleType, tmp_path: Path, whole: StageTrainer) -> None:
    assert_same_training(tiny, trained(tiny, tmp_path, peft.LoraConfig(**LORA)), whole, 0)


def test_merged_model_can_be_trained_again(tiny: ModuleType, tmp_path: Path) -> None:
    """By another Trainer, in full or with new adapters; the adapters of this one are gone."""
    plain = tiny.trainer("one-task", tmp_path).model
    trainer = trained(tiny, tmp_path, num_train_epochs=1, freeze_word_embeddings=True)
    frozen = {name for name, weights in trainer.model.named_parameters() if not weights.requires_grad}
    assert frozen == {f"{ENCODER}embeddings.word_embeddings.weight"} < {name for name, _ in plain.named_parameters()}
    with pytest.raises(ValueError, match=r"merged.*build another Trainer"):
        trainer.train()
    before = run(trainer.model.eval(), batch(tiny))
    given = {"args": trainer.args, "train_dataset": trainer.train_dataset, "data_collator": trainer.data_collator}
    again = MultitaskTrainer(model=trainer.model, peft_config=LORA, **given)
    torch.testing.assert_close(run(again.model.eval(), batch(tiny)), before, rtol=0, atol=0)
    again.train()
    assert not torch.equal(run(again.model.eval(), batch(tiny)), before)


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csr", "siamese", "dialogue"])
def test_stage_on_frozen_encoders_has_no_adapters(tiny: ModuleType, tmp_path: Path, kind: str) -> None:
    with pytest.raises(ValueError, match=r"peft_config is for stages that train an encoder, and this one trains none"):
        build(tiny, tmp_path, LORA, kind)


def test_options_that_do_not_fit_are_refused(tiny: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no layers nothing.*dense, key, query, value"):
        build(tiny, tmp_path, {"target_modules": ["nothing"]})


# -- students of a stock class -----------------------------------------------------------------------------------------


def test_student_of_a_stock_class(tiny: ModuleType, tmp_path: Path) -> None:
    torch.manual_seed(1)
    config = tiny.config().encoder
    config.id2label = dict(enumerate(tiny.EMOTION["labels"]))
    config.problem_type = "multi_label_classification"
    student = BertForSequenceClassification(config)
    start = {name: weights.clone() for name, weights in student.state_dict().items()}
    rows = [{"text": text, "labels": row.tolist()} for text, row in zip(tiny.texts(16), tiny.emotions(16), strict=True)]
    args: StageTrainingArguments = tiny.arguments(tmp_path, per_device_train_batch_size=8)
    trainer = DistillationTrainer(
        model=student, args=args, train_dataset=rows, processing_class=tiny.tokenizer(), peft_config=LORA
    )
    trainer.train()
    trainer.save_model(str(tmp_path / "final"))
    after = load_file(tmp_path / "final" / "model.safetensors")
    assert after.keys() == start.keys()
    changed = {name for name, weights in after.items() if not torch.equal(weights, start[name])}
    blocks = {name for name in start if ".layer." in name and name.endswith("weight") and "LayerNorm" not in name}
    # The pooler and the head are new, and trained in full.
    assert changed == blocks | {name for name in start if name.startswith(("bert.pooler.", "classifier."))}
    assert not (tmp_path / "final" / "adapter").exists()
    loaded, info = AutoModelForSequenceClassification.from_pretrained(tmp_path / "final", output_loading_info=True)
    assert type(loaded) is BertForSequenceClassification and not any(info.values())
