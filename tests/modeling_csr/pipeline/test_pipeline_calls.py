"""The emotion pipeline: what one call may ask for, as of the stock pipeline, and what it may be given."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import pipeline
from transformers.pipelines.text_classification import ClassificationFunction

from tests.helpers import emotion_pipelines as tools

EMOTIONS, TEXTS, LONG, LIMIT, SPECIAL = tools.EMOTIONS, tools.TEXTS, tools.LONG, tools.LIMIT, tools.SPECIAL
emotions, logits, by_label, approx, close = tools.emotions, tools.logits, tools.by_label, tools.approx, tools.close
Factory = Callable[..., Any]
SURROGATE = "so glad \ud83d"


@pytest.fixture
def model(csr: Factory) -> Any:
    return csr()


def probabilities(model: Any, tokenizer: Any, text: str) -> dict[str, float]:
    return dict(zip(EMOTIONS, logits(model, tokenizer, text).sigmoid().tolist(), strict=True))


# --- long texts, cut in place of read in windows


@pytest.mark.parametrize("truncation", [True, "longest_first", "only_first"])
@pytest.mark.parametrize("max_length", [None, 20])
def test_long_texts_are_cut_as_the_tokenizer_cuts_them(
    model: Any, tokenizer: Any, truncation: Any, max_length: int | None
) -> None:
    cut = tokenizer(LONG, truncation=True, max_length=max_length, return_tensors="pt")
    assert cut["input_ids"].shape[1] == (max_length or LIMIT)
    with torch.no_grad():
        expected = approx(EMOTIONS, model(**cut).logits[0].sigmoid())
    classifier = emotions(model, tokenizer, top_k=None)
    assert by_label(classifier(LONG, truncation=truncation, max_length=max_length)) == expected
    stock = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
    assert by_label(stock(LONG, truncation=truncation, max_length=max_length, top_k=None)) == expected
    close(classifier(TEXTS, truncation=truncation), classifier(TEXTS))


@pytest.mark.parametrize("truncation", [False, "do_not_truncate", None])
def test_max_length_alone_is_the_length_of_a_window(model: Any, tokenizer: Any, truncation: Any) -> None:
    batches, _ = tools.windows(tokenizer, LONG, 34, 8)
    with torch.no_grad():
        expected = torch.cat([model(**batch).logits for batch in batches]).sigmoid().amax(0)
    found = emotions(model, tokenizer)(LONG, top_k=None, max_length=34, truncation=truncation)
    assert by_label(found) == approx(EMOTIONS, expected)


@pytest.mark.parametrize("padding", [True, False, "longest", "do_not_pad", "max_length"])
def test_padding_changes_no_score(model: Any, tokenizer: Any, padding: Any) -> None:
    classifier = emotions(model, tokenizer, top_k=None)
    close(classifier([*TEXTS, LONG], padding=padding, batch_size=2), classifier([*TEXTS, LONG]))
    widths = []
    hook = model.register_forward_pre_hook(
        lambda module, args, kwargs: widths.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    classifier(TEXTS[2], padding=padding, max_length=20)
    hook.remove()
    assert widths == [20 if padding == "max_length" else 4]


def test_long_pairs_are_cut(stock: Factory, tokenizer: Any) -> None:
    model, pair = stock(), {"text": LONG, "text_pair": TEXTS[0]}
    with torch.no_grad():
        batch = tokenizer(**pair, truncation="only_first", return_tensors="pt")
        expected = approx(tools.SENTIMENTS, model(**batch).logits[0].softmax(-1))
    assert by_label(emotions(model, tokenizer)(pair, top_k=None, truncation="only_first")) == expected


def test_the_stock_pipeline_says_how_to_cut_long_texts(model: Any, tokenizer: Any) -> None:
    """It cuts nothing unasked, so that the encoder's positions run out."""
    stock = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None)
    with pytest.raises(ValueError, match=r"A text has 132 tokens, but the bert encoder reads at most 66\. Cut it with"):
        stock(LONG)
    assert len(stock([LONG], truncation=True)[0]) == len(EMOTIONS)


# --- scores


@pytest.mark.parametrize("function", ["sigmoid", "softmax", "none", "NONE", ClassificationFunction.SOFTMAX])
@pytest.mark.parametrize("problem_type", ["multi_label_classification", "single_label_classification"])
def test_scores_are_those_of_the_stock_pipeline(csr: Factory, tokenizer: Any, function: Any, problem_type: str) -> None:
    model = csr(problem_type=problem_type)
    stock = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None)
    found = emotions(model, tokenizer)(TEXTS, top_k=None, function_to_apply=function)
    close(found, stock(TEXTS, function_to_apply=function))


def test_other_scores_leave_the_decisions_alone(model: Any, tokenizer: Any) -> None:
    classifier = emotions(model, tokenizer)
    expected = {entry["label"] for entry in classifier(TEXTS[0])}
    assert 0 < len(expected) < 4
    for function in ("none", "softmax"):
        assert {entry["label"] for entry in classifier(TEXTS[0], function_to_apply=function)} == expected


def test_thresholds_for_one_call(model: Any, tokenizer: Any) -> None:
    classifier = emotions(model, tokenizer)
    scores = probabilities(model, tokenizer, TEXTS[0])
    before = classifier(TEXTS[0])
    ordered = sorted(scores, key=lambda label: -scores[label])
    second = scores[ordered[1]]
    assert by_label(classifier(TEXTS[0], thresholds=second)) == {label: scores[label] for label in ordered[:2]}
    assert classifier(TEXTS[0], thresholds=1) == []
    assert set(by_label(classifier(TEXTS[0], thresholds=0))) == set(EMOTIONS)
    assert list(by_label(classifier(TEXTS[0], thresholds=0, top_k=3))) == ordered[:3]
    mapping = {label: 0.0 for label in EMOTIONS} | {ordered[0]: 1.0}
    assert list(by_label(classifier(TEXTS[0], thresholds=mapping))) == ordered[1:]
    # Labels that the mapping leaves out keep their own.
    model.config.thresholds = [1.0] * 4
    assert list(by_label(classifier(TEXTS[0], thresholds={"joy": 0.0}))) == ["joy"]
    model.config.thresholds = None
    assert classifier(TEXTS[0]) == before
    assert emotions(model, tokenizer, thresholds=1.0)(TEXTS[0]) == []


def test_thresholds_of_single_label_problems_and_of_tasks(csr: Factory, multitask: Factory, tokenizer: Any) -> None:
    classifier = emotions(csr(problem_type="single_label_classification"), tokenizer)
    assert classifier(TEXTS[0], thresholds=1.0) == []
    assert len(classifier(TEXTS[0], thresholds=0.0)) == 4
    several = emotions(multitask(tasks=("emotion", "sentiment", "intensity")), tokenizer)
    assert len(several(TEXTS[0], main_task="sentiment", thresholds={"neutral": 0.0, "positive": 1, "negative": 1})) == 1
    with pytest.raises(ValueError, match="thresholds has 'neutral', which is not a label of the model: anger, fear"):
        several(TEXTS[0], thresholds={"neutral": 0.0})
    with pytest.raises(ValueError, match="thresholds are for probabilities"):
        several(TEXTS[0], main_task="intensity", thresholds=0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"thresholds": 1.5}, "thresholds must be numbers from 0 to 1, one or by label, got 1.5"),
        ({"thresholds": {"joy": "high"}}, "thresholds must be numbers from 0 to 1, one or by label, got 'high'"),
        ({"thresholds": {"glee": 0.5}}, "thresholds has 'glee', which is not a label of the model"),
        ({"truncation": "yes"}, "truncation must be one of True, False, longest_first, .*, got 'yes'"),
        ({"truncation": 1}, "truncation must be one of"),
        ({"padding": "left"}, "padding must be one of True, False, longest, .*, got 'left'"),
        ({"max_length": 2}, "max_length must be an integer above 2, the special tokens of a text, .*; got 2"),
        ({"max_length": 67}, "max_length must be .* at most 66, the tokens that the model reads; got 67"),
        ({"max_length": "20"}, "max_length must be an integer"),
        ({"function_to_apply": "relu"}, "function_to_apply must be one of sigmoid, softmax, none, got 'relu'"),
    ],
)
def test_arguments_that_are_not_valid(model: Any, tokenizer: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        emotions(model, tokenizer)(LONG, **arguments)
    with pytest.raises(ValueError, match=message):
        emotions(model, tokenizer, **arguments)


# --- inputs


def test_arrays_and_series_give_lists(model: Any, tokenizer: Any) -> None:
    classifier = emotions(model, tokenizer, top_k=None)
    expected = classifier(TEXTS)
    for inputs in (np.array(TEXTS), np.array(TEXTS, dtype=object), pd.Series(TEXTS, index=[7, 8, 9]), pd.Index(TEXTS)):
        found = classifier(inputs)
        assert isinstance(found, list) and found == expected
    assert classifier(np.array([], dtype=str)) == classifier(pd.Series([], dtype=str)) == []
    assert classifier(np.str_(TEXTS[0])) == classifier(TEXTS[0])
    with pytest.raises(ValueError, match=r"inputs\[1\] must be a string, got NoneType"):
        classifier(pd.Series(["so", None], dtype=object))
    with pytest.raises(ValueError, match=r"inputs\[0\] must be a string, got list"):
        classifier(np.array([TEXTS]))


@pytest.mark.parametrize("batch_size", [1, 8])
def test_half_an_emoji_is_named(model: Any, tokenizer: Any, batch_size: int) -> None:
    classifier = emotions(model, tokenizer)
    with pytest.raises(ValueError, match=r"inputs\[1\] has half of a surrogate pair, \\ud83d, at character 8") as found:
        classifier(["fine", SURROGATE], batch_size=batch_size)
    str(found.value).encode("utf-8")  # the message itself can be printed
    with pytest.raises(ValueError, match=r"inputs\[0\]\['text_pair'\] has half of a surrogate pair"):
        classifier({"text": "fine", "text_pair": SURROGATE})
    assert classifier(["fine 😀", "so \U0001f3f3"])


# --- the same results however they are computed


@pytest.mark.parametrize("family", ["csr", "tokens", "multitask"])
def test_batches_and_threads_give_the_same_results(
    csr: Factory, multitask: Factory, tokenizer: Any, family: str
) -> None:
    model = {"csr": csr, "tokens": lambda: csr(common_level="token"), "multitask": multitask}[family]()
    classifier, texts = emotions(model, tokenizer, top_k=None), tools.mixed()
    expected = [by_label(entries) for entries in classifier(texts)]
    for batch_size in (1, 7, 32):
        for found, one in zip(classifier(texts, batch_size=batch_size), expected, strict=True):
            assert by_label(found) == pytest.approx(one, abs=1e-6, rel=0)
    with ThreadPoolExecutor(8) as threads:
        parts = list(threads.map(classifier, [[text] for text in texts * 3]))
    for (found,), one in zip(parts, expected * 3, strict=True):
        assert by_label(found) == pytest.approx(one, abs=1e-6, rel=0)


def test_handlers_name_half_an_emoji_too(csr: Factory, tokenizer: Any, tmp_path: Path) -> None:
    from modeling_csr.handler import EndpointHandler

    csr().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    answer = EndpointHandler(str(tmp_path))
    with pytest.raises(ValueError, match=r"inputs\[1\] has half of a surrogate pair"):
        answer({"inputs": ["fine", SURROGATE]})
    parameters = {"thresholds": {"joy": 0.0}, "truncation": True, "max_length": 20, "function_to_apply": "none"}
    assert "joy" in {entry["label"] for entry in answer({"inputs": LONG, "parameters": parameters})}
