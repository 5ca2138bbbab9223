"""Common spaces whose encoders are adapters of one text encoder: the numbers of separate encoders, held once."""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModel, AutoModelForSequenceClassification

from modeling_csr import CSRConfig, CSRForSequenceClassification, CSRModel, MultitaskForSequenceClassification
from tests.helpers.tiny_adapters import LORA, adapted, run, stir, trained_names, write_adapter
from tests.helpers.tiny_models import EMPTY, Tokens

Factory = Callable[..., MultitaskForSequenceClassification]
Encoders = Callable[[str], Path]
Build = Callable[..., CSRForSequenceClassification]
NAMES = ["anger", "fear", "joy", "love"]
LABELS = {"id2label": dict(enumerate(NAMES)), "label2id": {name: index for index, name in enumerate(NAMES)}}


@pytest.fixture
def build(multitask: Factory) -> Build:
    """`build(model_type="bert", shared=True, **config_kwargs)`: two adapters with one backbone, or with one each."""

    def of(model_type: str = "bert", shared: bool = True, **config_kwargs: Any) -> CSRForSequenceClassification:
        emotion = adapted(multitask(model_type).multitask, name="emotion", seed=1)
        source = adapted(multitask(model_type, tasks=("sentiment",)).multitask, {"r": 2}, name="sentiment", seed=2)
        model = CSRForSequenceClassification.from_encoders(
            emotion, [source], shared_backbone=shared, **LABELS, **config_kwargs
        )
        torch.manual_seed(3)
        # Wide enough for what the encoders say to reach the logits.
        for part in (model.csr.common_encoder, model.csr.decoder, model.csr.siamese, model.classifier):
            for weights in part.parameters():
                if weights.dim() > 1:
                    nn.init.normal_(weights, std=0.3)
        return model.eval()

    return of


def backbone_parameters(model: nn.Module) -> set[int]:
    """The parameters of all text encoders but adapters, by identity."""
    return {
        id(weights)
        for name, weights in model.named_parameters(remove_duplicate=False)
        if ".encoder." in name and "lora" not in name
    }


def assert_shared(model: Any) -> None:
    """That no encoder has weights of its own but those of its adapter."""
    emotion, *sources = (part.encoder for part in model.text_encoders)
    theirs = {name: weights for name, weights in emotion.named_parameters() if ".lora_" not in name}
    for source in sources:
        mine = {name: weights for name, weights in source.named_parameters() if ".lora_" not in name}
        assert mine.keys() == theirs.keys() and mine
        assert all(weights is theirs[name] for name, weights in mine.items())


# -- the same numbers, held once ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["text", "token"])
@pytest.mark.parametrize("model_type", ["bert", "modernbert"])
def test_representations_are_those_of_separate_encoders(
    build: Build, tokens: Tokens, model_type: str, level: str
) -> None:
    shared, apart = (build(model_type, shared, common_level=level) for shared in (True, False))
    assert_shared(shared)
    for ours, theirs in zip(shared.csr.encode(**tokens), apart.csr.encode(**tokens), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    torch.testing.assert_close(run(shared, tokens), run(apart, tokens), rtol=0, atol=0)
    emotion, (source,) = shared.csr.encode(**tokens)
    assert (emotion - source).abs().max() > 0.01


def test_backbone_is_held_and_saved_once(build: Build, multitask: Factory, tmp_path: Path) -> None:
    plain = sum(weights.numel() for weights in multitask().multitask.encoder.parameters())
    shared, apart = build(), build(shared=False)
    assert apart.num_parameters() - shared.num_parameters() == plain
    shared.save_pretrained(tmp_path / "shared")
    apart.save_pretrained(tmp_path / "apart")
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("apart", "shared")]
    assert 4 * plain <= sizes[0] - sizes[1] < 4 * plain + 20_000
    # Inference endpoints install what a repository names there.
    assert (tmp_path / "shared" / "requirements.txt").read_text(encoding="utf-8").startswith("peft>=")
    multitask().save_pretrained(tmp_path / "plain")
    assert not (tmp_path / "plain" / "requirements.txt").exists()
    for adapter in shared.csr.text_encoders:
        names = trained_names(adapter)
        assert names and all(".lora_" in name for name in names)


@pytest.mark.parametrize("level", ["text", "token"])
@pytest.mark.parametrize("sharded", [False, True])
def test_round_trip(
    build: Build, tokens: Tokens, tmp_path: Path, level: str, sharded: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    model = build(common_level=level)
    model.save_pretrained(tmp_path, **({"max_shard_size": "20KB"} if sharded else {}))
    assert (len(list(tmp_path.glob("*.safetensors"))) > 1) == sharded
    for auto, part in ((AutoModelForSequenceClassification, model), (AutoModel, model.csr)):
        loaded, info = auto.from_pretrained(tmp_path, output_loading_info=True)
        assert type(loaded) is type(part) and info == EMPTY
        assert_shared(getattr(loaded, "csr", loaded))
        expected, found = part(**tokens), loaded(**tokens)
        torch.testing.assert_close(dict(found), dict(expected), rtol=0, atol=0)
        assert trained_names(loaded) == trained_names(part)
    assert "LOAD REPORT" not in "".join(capfd.readouterr())
    loaded.save_pretrained(tmp_path / "again")
    again, info = CSRModel.from_pretrained(tmp_path / "again", output_loading_info=True)
    assert info == EMPTY
    torch.testing.assert_close(dict(again(**tokens)), dict(expected), rtol=0, atol=0)


def test_saved_weights_name_no_source_backbone(build: Build, tmp_path: Path) -> None:
    build().save_pretrained(tmp_path)
    names = [name for name in load_file(tmp_path / "model.safetensors") if ".source_encoders." in name]
    assert names and all(".lora_" in name for name in names)


@pytest.mark.parametrize("change", ["deepcopy", "half", "to", "train and eval"])
def test_backbone_stays_shared(build: Build, tokens: Tokens, change: str) -> None:
    model = build()
    before = run(model, tokens)
    changed = {
        "deepcopy": copy.deepcopy,
        "half": lambda one: copy.deepcopy(one).half().float(),
        "to": lambda one: one.to(torch.float64).to(torch.float32),
        "train and eval": lambda one: one.train().eval(),
    }[change](model)
    assert_shared(changed.csr)
    tolerance = {"rtol": 5e-2, "atol": 5e-2} if change == "half" else {"rtol": 0, "atol": 0}
    torch.testing.assert_close(run(changed, tokens), before, **tolerance)
    if change == "deepcopy":
        assert not backbone_parameters(changed) & backbone_parameters(model)


def test_resized_word_embeddings_stay_shared(build: Build, tokens: Tokens, tmp_path: Path) -> None:
    model = build()
    before, rows = run(model, tokens), model.get_input_embeddings().weight.shape[0]
    model.resize_token_embeddings(rows + 5)
    assert_shared(model.csr)
    assert all(one.get_input_embeddings().weight.shape[0] == rows + 5 for one in model.text_encoders)
    torch.testing.assert_close(run(model, tokens), before, rtol=0, atol=0)
    model.save_pretrained(tmp_path)
    loaded, info = CSRForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    new = {"input_ids": torch.tensor([[2, rows + 4, 3]])}
    torch.testing.assert_close(run(loaded, new), run(model, new), rtol=0, atol=0)


def test_new_classifier_on_a_trained_space(build: Build, tokens: Tokens, tmp_path: Path) -> None:
    trained = build()
    model = CSRForSequenceClassification.from_common_space(
        trained.csr, id2label={0: "glad", 1: "sad"}, label2id={"glad": 0, "sad": 1}
    ).eval()
    assert_shared(model.csr)
    assert trained_names(model) == trained_names(trained)
    torch.testing.assert_close(model(**tokens).common_space, trained(**tokens).common_space, rtol=0, atol=0)
    trained.csr.save_pretrained(tmp_path)
    space = AutoModel.from_pretrained(tmp_path)
    again = CSRForSequenceClassification.from_common_space(space, num_labels=2).eval()
    torch.testing.assert_close(again(**tokens).common_space, trained(**tokens).common_space, rtol=0, atol=0)


# -- training and reading at once --------------------------------------------------------------------------------------


def gradients(model: CSRForSequenceClassification, tokens: Tokens, seed: int = 0) -> dict[str, torch.Tensor]:
    model.train().zero_grad()
    torch.manual_seed(seed)
    model(**tokens, labels=torch.tensor([[0, 0, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]]).float()).loss.backward()
    return {name: weights.grad.clone() for name, weights in model.named_parameters() if weights.grad is not None}


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_are_those_of_separate_encoders(build: Build, tokens: Tokens, checkpointing: bool) -> None:
    shared, apart = build(), build(shared=False)
    if checkpointing:
        shared.activation_checkpointing_enable()
        assert any(getattr(module, "gradient_checkpointing", False) for module in shared.modules())
    found, expected = gradients(shared, tokens), gradients(apart, tokens)
    assert found.keys() == expected.keys() and any(".lora_" in name for name in found)
    below = [name for name in found if "encoder.encoder." in name or "encoders.0.encoder." in name]
    assert below and all(".lora_" in name for name in below)
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-6, atol=1e-6, msg=lambda text, n=name: n + text)
    for side in ("emotion_encoder", "source_encoders.0"):
        assert any(side in name and gradient.abs().sum() > 0 for name, gradient in found.items())


def test_threads_read_as_one_does(build: Build, tokens: Tokens) -> None:
    model = build()
    expected = run(model, tokens)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: run(model, tokens), range(24)):
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


# peft 0.21 still asks for it.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_doubled_batch_of_peft_gives_the_same(build: Build, tiny_encoder: Encoders, tokens: Tokens) -> None:
    """peft's own way to have two adapters on one encoder: a name per text."""
    model = build()
    (emotion, (sentiment,)) = model.csr.encode(**tokens)
    wrapped: Any = None
    for part in model.text_encoders:
        options, name = part.config.adapter, part.config.adapter_name
        plain = AutoModel.from_pretrained(tiny_encoder("bert"), add_pooling_layer=False) if wrapped is None else None
        lora = peft.LoraConfig(**options)
        if wrapped is None:
            wrapped = peft.get_peft_model(plain, lora, adapter_name=name)
        else:
            wrapped.add_adapter(name, lora)
        state = {
            f"base_model.model.{path}": weights for path, weights in part.encoder.state_dict().items() if "lora" in path
        }
        assert state and not wrapped.load_state_dict(state, strict=False).unexpected_keys
    doubled = {name: value.repeat(2, 1) for name, value in tokens.items()}
    doubled["position_ids"] = (doubled["attention_mask"].cumsum(dim=1) - 1).clamp(min=0)
    with torch.no_grad():
        states = wrapped.eval()(**doubled, adapter_names=["emotion"] * 3 + ["sentiment"] * 3).last_hidden_state
    weights = doubled["attention_mask"].unsqueeze(-1).float()
    means = (states * weights).sum(dim=1) / weights.sum(dim=1)
    torch.testing.assert_close(means, torch.cat([emotion, sentiment]).detach(), rtol=1e-5, atol=1e-5)


# -- further sources ---------------------------------------------------------------------------------------------------


@pytest.fixture
def intensity(multitask: Factory, tmp_path: Path) -> Path:
    """The folder of an adapter of the same encoder."""
    return write_adapter(adapted(multitask(tasks=("intensity",)), {"r": 2}, seed=5), tmp_path / "intensity")


@pytest.mark.parametrize("level", ["text", "token"])
def test_added_source_changes_nothing_until_it_is_trained(
    build: Build, tokens: Tokens, tmp_path: Path, intensity: Path, level: str
) -> None:
    model = build(common_level=level)
    before, parameters = model(**tokens), model.num_parameters()
    model.csr.add_source("arousal", intensity)
    after = model(**tokens)
    torch.testing.assert_close(after.logits, before.logits, rtol=1e-6, atol=1e-6)
    assert_shared(model.csr)
    assert model.num_parameters() - parameters == model.csr.common_encoder[0].out_features * 32 + sum(
        weights.numel() for name, weights in model.csr.source_encoders[1].named_parameters() if ".lora_" in name
    )
    alone = MultitaskForSequenceClassification.from_pretrained(intensity, backbone=model.csr.emotion_encoder).eval()
    read = model.csr.encode(**tokens)[1][1]
    reference = alone.multitask(**tokens)
    expected = reference.last_hidden_state if level == "token" else reference.representation
    torch.testing.assert_close(read, expected, rtol=0, atol=0)
    # Trained, it counts.
    grown = gradients(model, tokens)
    assert grown["csr.common_encoder.0.weight"][:, 32:64].abs().sum() > 0
    model.eval()
    with torch.no_grad():
        model.csr.common_encoder[0].weight[:, 32:64].normal_()
    assert (run(model, tokens) - before.logits).abs().max() > 1e-4
    model.save_pretrained(tmp_path / "grown")
    loaded, info = CSRForSequenceClassification.from_pretrained(tmp_path / "grown", output_loading_info=True)
    assert info == EMPTY and [one.config.adapter_name for one in loaded.text_encoders] == [
        "emotion",
        "sentiment",
        "arousal",
    ]
    assert_shared(loaded.csr)
    torch.testing.assert_close(run(loaded, tokens), run(model, tokens), rtol=0, atol=0)


def test_sources_that_are_refused(build: Build, intensity: Path, tokens: Tokens) -> None:
    model = build()
    before = run(model, tokens)
    with pytest.raises(ValueError, match=r"already has an adapter 'sentiment'.*emotion, sentiment"):
        model.csr.add_source("sentiment", intensity)
    with pytest.raises(ValueError, match="this model's encoders have none"):
        build(shared=False).csr.add_source("arousal", intensity)
    with torch.no_grad():
        model.csr.emotion_encoder.encoder.embeddings.LayerNorm.weight[0] += 1
    with pytest.raises(ValueError, match="trained on another encoder"):
        model.csr.add_source("arousal", intensity)
    assert len(model.csr.source_encoders) == len(model.config.source_encoders) == 1
    with torch.no_grad():
        model.csr.emotion_encoder.encoder.embeddings.LayerNorm.weight[0] -= 1
    torch.testing.assert_close(run(model, tokens), before, rtol=1e-5, atol=1e-5)


# -- configurations that are refused -----------------------------------------------------------------------------------


def test_encoders_that_cannot_share_are_refused(multitask: Factory) -> None:
    emotion = adapted(multitask().multitask)
    plain = multitask(tasks=("sentiment",)).multitask

    def space(*sources: Any) -> CSRForSequenceClassification:
        return CSRForSequenceClassification.from_encoders(emotion, list(sources), shared_backbone=True)

    with pytest.raises(ValueError, match=r"1 of 2 have no adapter: train them with peft_config"):
        space(plain)
    with pytest.raises(ValueError, match="Two adapters on one backbone have the name 'emotion'"):
        space(adapted(multitask(tasks=("sentiment",)).multitask, name="emotion"))
    with pytest.raises(ValueError, match="emotion, sentiment were trained on different text encoders"):
        space(adapted(multitask("distilbert", tasks=("sentiment",)).multitask))
    other = adapted(plain)
    with torch.no_grad():
        other.encoder.embeddings.LayerNorm.weight[3] += 0.5
    with pytest.raises(ValueError, match="weights below these adapters differ"):
        space(other)


def test_encoders_of_other_widths_are_refused(multitask: Factory) -> None:
    config = adapted(multitask().multitask).config
    narrow = copy.deepcopy(config)
    narrow.adapter_name = "narrow"
    narrow.encoder.hidden_size = 16
    with pytest.raises(ValueError, match="trained on different text encoders"):
        CSRConfig(emotion_encoder=config, source_encoders=[narrow], shared_backbone=True)


def test_lone_emotion_encoder_may_have_a_shared_backbone(multitask: Factory, tokens: Tokens, tmp_path: Path) -> None:
    """Sources can be added to it later."""
    model = CSRForSequenceClassification.from_encoders(
        adapted(multitask().multitask, LORA), [], shared_backbone=True, **LABELS
    ).eval()
    stir(model)
    model.save_pretrained(tmp_path)
    loaded, info = CSRForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    torch.testing.assert_close(run(loaded, tokens), run(model, tokens), rtol=0, atol=0)
