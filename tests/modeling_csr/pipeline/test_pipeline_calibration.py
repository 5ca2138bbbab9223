"""The emotion pipeline with calibrated probabilities, and where it abstains."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, pipeline

from modeling_csr import CSRConfig, MultitaskConfig
from modeling_csr.handler import EndpointHandler
from tests.helpers import emotion_pipelines as tools
from tests.helpers.tiny_models import save

EMOTIONS, TEXTS, LONG = tools.EMOTIONS, tools.TEXTS, tools.LONG
emotions, logits, by_label = tools.emotions, tools.logits, tools.by_label
Factory = Callable[..., Any]
CALIBRATION = [[0.5, 0.3], [2.0, -0.4], [1.5, 0.2], [0.8, -0.1]]


def calibrated(model: Any) -> Any:
    model.config.calibration = CALIBRATION
    return model


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_scores_are_calibrated_by_label(request: pytest.FixtureRequest, tokenizer: Any, family: str) -> None:
    model = calibrated(request.getfixturevalue(family)())
    classifier = emotions(model, tokenizer, top_k=None)
    for text in TEXTS:
        expected = {
            label: (slope * value + intercept).sigmoid().item()
            for label, value, (slope, intercept) in zip(
                EMOTIONS, logits(model, tokenizer, text), CALIBRATION, strict=True
            )
        }
        assert by_label(classifier(text, calibrated=True)) == pytest.approx(expected, abs=1e-6)
        assert by_label(classifier(text)) != pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_the_labels_stay(request: pytest.FixtureRequest, tokenizer: Any, family: str) -> None:
    model = calibrated(request.getfixturevalue(family)())
    # A score that is the threshold itself counts, calibrated or not.
    anger, fear, joy, love = logits(model, tokenizer, TEXTS[0]).sigmoid().tolist()
    model.config.thresholds = [anger + 1e-4, fear - 1e-4, joy, love + 1e-4]
    classifier = emotions(model, tokenizer)
    assert {entry["label"] for entry in classifier(TEXTS[0], calibrated=True)} == {"fear", "joy"}
    for text in [*TEXTS, LONG]:
        assert by_label(classifier(text, calibrated=True)).keys() == by_label(classifier(text)).keys()
    # Thresholds of a call are those of the scores that it gives; labels without one keep their own.
    score = by_label(classifier(TEXTS[0], calibrated=True, top_k=None))["love"]
    for threshold, expected in ((score - 1e-4, {"fear", "joy", "love"}), (score + 1e-4, {"fear", "joy"})):
        found = classifier(TEXTS[0], calibrated=True, thresholds={"love": threshold})
        assert {entry["label"] for entry in found} == expected


def test_classes_keep_their_best_label(csr: Factory, tokenizer: Any) -> None:
    model = csr(problem_type="single_label_classification", calibration=[[0.3, 0.0]] * 4)
    classifier = emotions(model, tokenizer)
    for text in [*TEXTS, LONG]:
        (before,), (after,) = classifier(text), classifier(text, calibrated=True)
        assert before["label"] == after["label"] and 0.25 < after["score"] < before["score"]
    expected = (0.3 * logits(model, tokenizer, TEXTS[0])).softmax(-1).max().item()
    assert classifier(TEXTS[0], calibrated=True)[0]["score"] == pytest.approx(expected)


@pytest.mark.parametrize("problem_type", ["single_label_classification", "multi_label_classification"])
def test_below_a_confidence_it_abstains(csr: Factory, tokenizer: Any, problem_type: str) -> None:
    model = csr(problem_type=problem_type, thresholds=None, calibration=[[0.5, 0.0]] * 4)
    classifier = emotions(model, tokenizer, top_k=None)
    everything = classifier(TEXTS[0])
    second = everything[1]["score"]
    assert classifier(TEXTS[0], min_confidence=second) == everything[:2]
    assert classifier(TEXTS[0], min_confidence=second + 1e-6) == everything[:1]
    assert classifier(TEXTS, min_confidence=1.0) == [[], [], []]
    # Of calibrated scores where these are asked for.
    shown = classifier(TEXTS[0], calibrated=True)
    assert classifier(TEXTS[0], calibrated=True, min_confidence=shown[1]["score"]) == shown[:2]
    found = emotions(model, tokenizer, min_confidence=1.0, return_embeddings=True)(TEXTS[0])
    assert found["labels"] == [] and found["embedding"]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"calibrated": 1}, "True or False"),
        ({"calibrated": True, "function_to_apply": "none"}, "leave function_to_apply out"),
        ({"min_confidence": 0.5, "function_to_apply": "none"}, "leave function_to_apply out"),
        ({"min_confidence": 1.5}, "from 0 to 1"),
        ({"min_confidence": True}, "from 0 to 1"),
        ({"min_confidence": "high"}, "from 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(csr: Factory, tokenizer: Any, arguments: dict[str, Any], match: str) -> None:
    classifier = emotions(calibrated(csr()), tokenizer)
    with pytest.raises(ValueError, match=match):
        classifier(TEXTS[0], **arguments)


def test_models_without_a_calibration_say_so(csr: Factory, stock: Factory, tokenizer: Any) -> None:
    for model in (csr(), stock()):
        with pytest.raises(ValueError, match=r"--calibrate, or call calibrate\(\)"):
            emotions(model, tokenizer)(TEXTS[0], calibrated=True)
    with pytest.raises(ValueError, match="a regression"):
        emotions(stock(problem_type="regression"), tokenizer)(TEXTS[0], min_confidence=0.5)


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_it_travels_with_the_model(
    request: pytest.FixtureRequest, tokenizer: Any, tiny_encoder: Any, tmp_path: Path, family: str
) -> None:
    model = calibrated(request.getfixturevalue(family)())
    folder = save(model, tmp_path / "model", tiny_encoder)
    assert AutoConfig.from_pretrained(folder).calibration == CALIBRATION
    expected = emotions(model, tokenizer)(TEXTS, calibrated=True, top_k=None)
    given = {"top_k": None, "calibrated": True}
    assert pipeline("emotion-classification", model=str(folder))(TEXTS, **given) == expected
    assert EndpointHandler(str(folder))({"inputs": TEXTS, "parameters": given}) == expected
    # A folder from before there were calibrations loads as it did.
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (config["tasks"]["emotion"] if family == "multitask" else config).pop("calibration")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert AutoConfig.from_pretrained(folder).calibration is None


def test_calibrations_that_fit_no_labels_are_refused() -> None:
    task = {"labels": ["joy", "fear"], "problem_type": "multi_label_classification"}
    for wrong, match in (([[1.0, 0.0]], "2 labels but 1 calibration"), ([[1.0, 0.0], [0.0, 1.0]], "slopes above 0")):
        with pytest.raises(ValueError, match=match):
            MultitaskConfig(tasks={"emotion": task | {"calibration": wrong}})
        with pytest.raises(ValueError, match=match):
            CSRConfig(emotion_encoder=MultitaskConfig().to_dict(), id2label={0: "joy", 1: "fear"}, calibration=wrong)
