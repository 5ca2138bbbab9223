"""The emotion pipeline: labels over their thresholds, and what can and cannot be passed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import pipeline
from transformers.pipelines.pt_utils import KeyDataset, KeyPairDataset

from tests.helpers import emotion_pipelines as tools

EMOTIONS, SENTIMENTS, TEXTS, LONG = tools.EMOTIONS, tools.SENTIMENTS, tools.TEXTS, tools.LONG
emotions, logits, by_label, approx, close = tools.emotions, tools.logits, tools.by_label, tools.approx, tools.close
Factory = Callable[..., Any]


# --- labels


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_all_labels_have_the_models_own_numbers(request: pytest.FixtureRequest, tokenizer: Any, family: str) -> None:
    model = request.getfixturevalue(family)()
    classifier = emotions(model, tokenizer, top_k=None)
    for text in TEXTS:
        expected = dict(zip(EMOTIONS, logits(model, tokenizer, text).sigmoid().tolist(), strict=True))
        assert by_label(classifier(text)) == expected


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_only_labels_over_their_own_thresholds(request: pytest.FixtureRequest, tokenizer: Any, family: str) -> None:
    model = request.getfixturevalue(family)()
    anger, fear, joy, love = logits(model, tokenizer, TEXTS[0]).sigmoid().tolist()
    # A score that is the threshold itself counts.
    model.config.thresholds = [anger + 1e-4, fear - 1e-4, joy, love + 1e-4]
    classifier = emotions(model, tokenizer)
    assert by_label(classifier(TEXTS[0])) == {"fear": fear, "joy": joy}
    model.config.thresholds = [1.0] * 4
    assert classifier(TEXTS[0]) == []
    assert classifier(TEXTS) == [[], [], []]


def test_without_thresholds_the_limit_is_one_half(csr: Factory, tokenizer: Any) -> None:
    model = csr()
    assert model.config.thresholds is None
    scores = dict(zip(EMOTIONS, logits(model, tokenizer, TEXTS[0]).sigmoid().tolist(), strict=True))
    expected = {label: score for label, score in scores.items() if score >= 0.5}
    assert 0 < len(expected) < 4
    assert by_label(emotions(model, tokenizer)(TEXTS[0])) == expected


def test_top_k_ignores_the_thresholds(csr: Factory, tokenizer: Any) -> None:
    model = csr(thresholds=[1.0] * 4)
    classifier = emotions(model, tokenizer)
    everything = classifier(TEXTS[0], top_k=None)
    assert {entry["label"] for entry in everything} == set(EMOTIONS)
    assert classifier(TEXTS[0], top_k=2) == everything[:2]
    assert classifier(TEXTS[0], top_k=9) == everything
    assert classifier(TEXTS[0]) == []  # what a call says is for this call
    assert emotions(model, tokenizer, top_k=1)(TEXTS[0]) == everything[:1]


def test_single_label_problems_give_the_best_label(csr: Factory, tokenizer: Any) -> None:
    model = csr(problem_type="single_label_classification")
    classifier = emotions(model, tokenizer)
    for text in TEXTS:
        expected = logits(model, tokenizer, text).softmax(-1)
        best = {"label": EMOTIONS[expected.argmax()], "score": pytest.approx(expected.max().item())}
        assert classifier(text) == [best]
        assert by_label(classifier(text, top_k=None)) == approx(EMOTIONS, expected)


def test_regressions_give_all_numbers(multitask: Factory, tokenizer: Any) -> None:
    model = multitask(tasks=("intensity",))
    expected = approx(["anger", "joy"], logits(model, tokenizer, TEXTS[0]))
    assert by_label(emotions(model, tokenizer)(TEXTS[0])) == expected


def test_several_tasks(multitask: Factory, tokenizer: Any) -> None:
    model = multitask(tasks=("emotion", "sentiment", "intensity"), main_task="sentiment")
    model.config.tasks["emotion"]["thresholds"] = [0.0, 0.0, 1.0, 1.0]
    with torch.no_grad():
        task_logits = model(**tokenizer(TEXTS[0], return_tensors="pt")).task_logits
    classifier = emotions(model, tokenizer)
    expected = task_logits["sentiment"][0].softmax(-1)
    assert classifier(TEXTS[0]) == [
        {"label": SENTIMENTS[expected.argmax()], "score": pytest.approx(expected.max().item())}
    ]
    expected = approx(["anger", "fear"], task_logits["emotion"][0].sigmoid()[:2])
    assert by_label(classifier(TEXTS[0], main_task="emotion")) == expected
    built = emotions(model, tokenizer, main_task="intensity", batch_size=2)
    for entries in built([TEXTS[0], TEXTS[0]]):
        assert by_label(entries) == approx(["anger", "joy"], task_logits["intensity"][0])


@pytest.mark.parametrize("problem_type", [None, "multi_label_classification", "single_label_classification"])
def test_stock_models(stock: Factory, tokenizer: Any, problem_type: str | None) -> None:
    model = stock("distilbert", problem_type=problem_type)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]  # DistilBERT knows no token types
    ours = emotions(model, tokenizer)
    theirs = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None)
    close(ours(TEXTS, top_k=None), theirs(TEXTS))
    for found, entries in zip(ours(TEXTS), theirs(TEXTS), strict=True):
        over = [entry for entry in entries if entry["score"] >= 0.5]
        close([found], [over if problem_type == "multi_label_classification" else entries[:1]])


def test_a_stock_model_with_one_label(stock: Factory, tokenizer: Any) -> None:
    model = stock(num_labels=1)
    score = logits(model, tokenizer, TEXTS[0]).sigmoid().item()
    entries = emotions(model, tokenizer)(TEXTS[0], top_k=None)
    assert entries == [{"label": "negative", "score": pytest.approx(score)}]


# --- what can be passed


def test_kinds_of_inputs(csr: Factory, tokenizer: Any) -> None:
    classifier = emotions(csr(), tokenizer, top_k=None)
    expected = classifier(TEXTS)
    close(expected, [classifier(text) for text in TEXTS])
    dataset = Dataset.from_dict({"text": TEXTS, "number": [1, 2, 3]})
    assert classifier(TEXTS) == expected
    assert classifier(tuple(TEXTS)) == expected
    assert classifier(dataset["text"]) == expected
    assert classifier({"text": TEXTS[0]}) == classifier(TEXTS[0])
    assert classifier([{"text": text} for text in TEXTS]) == expected
    streams = [
        (text for text in TEXTS),
        map(str, TEXTS),
        KeyDataset(dataset, "text"),
        dataset,
        dataset.to_iterable_dataset(),
    ]
    for stream in streams:
        found = classifier(stream)
        assert isinstance(found, Iterator)
        assert list(found) == expected
    assert classifier([]) == []
    assert classifier(TEXTS[:1]) == [classifier(TEXTS[0])]


def test_pairs_of_texts(stock: Factory, tokenizer: Any) -> None:
    model = stock()
    classifier = emotions(model, tokenizer, top_k=None)
    with torch.no_grad():
        batch = tokenizer(TEXTS[0], TEXTS[1], return_tensors="pt")
        expected = approx(SENTIMENTS, model(**batch).logits[0].softmax(-1))
    dataset = Dataset.from_dict({"first": [TEXTS[0]], "second": [TEXTS[1]]})
    assert [by_label(entries) for entries in classifier(KeyPairDataset(dataset, "first", "second"))] == [expected]
    with pytest.raises(ValueError, match="A text pair has 149 tokens, but the model reads at most 64"):
        classifier({"text": LONG, "text_pair": " ".join(["and so"] * 8)})


@pytest.mark.parametrize("family", ["multitask", "csr", "tokens", "stock"])
def test_batches_give_the_same_numbers(
    multitask: Factory, csr: Factory, stock: Factory, tokenizer: Any, family: str
) -> None:
    model = {
        "multitask": lambda: multitask("electra", tasks=("emotion", "sentiment")),
        "csr": lambda: csr("roberta", sources=("mpnet", "modernbert")),
        "tokens": lambda: csr(common_level="token"),
        "stock": stock,
    }[family]()
    # Windows of several texts meet in one batch, those of one text in several.
    texts = [TEXTS[0], LONG, *TEXTS, LONG, "so"]
    embeddings = {} if family == "stock" else {"return_embeddings": True}
    classifier = emotions(model, tokenizer, top_k=None, **embeddings)
    alone = [classifier(text) for text in texts]
    for batch_size in (1, 3, 8):
        for inputs in (texts, (text for text in texts)):
            found = list(classifier(inputs, batch_size=batch_size))
            if embeddings:
                close([result["labels"] for result in found], [result["labels"] for result in alone])
                vectors = [torch.tensor([result["embedding"] for result in results]) for results in (found, alone)]
                torch.testing.assert_close(*vectors, rtol=0, atol=1e-5)
            else:
                close(found, alone)


# --- what cannot be done


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("", r"inputs\[0\] is empty"),
        (["so", " \n"], r"inputs\[1\] is empty"),
        (["so", "happy", None], r"inputs\[2\] must be a string, got NoneType"),
        (["so", ["happy"]], r"inputs\[1\] must be a string, got list"),
        (3, r"inputs\[0\] must be a string, got int"),
        (b"so", r"inputs\[0\] must be a string, got bytes"),
        ([{"text": "so"}, {"tweet": "happy"}], r'inputs\[1\] has no "text"; its keys are tweet'),
        ([{"text": "so", "text_pair": 1}], r"inputs\[0\]\['text_pair'\] must be a string, got int"),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 8])
def test_what_is_no_text(csr: Factory, tokenizer: Any, inputs: Any, message: str, batch_size: int) -> None:
    with pytest.raises(ValueError, match=message):
        emotions(csr(), tokenizer)(inputs, batch_size=batch_size)


def test_what_is_no_text_in_a_stream(csr: Factory, tokenizer: Any) -> None:
    classifier = emotions(csr(), tokenizer)
    found = classifier(text for text in [*TEXTS, None])
    with pytest.raises(ValueError, match=r"inputs\[3\] must be a string, got NoneType"):
        list(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top_k": 0}, "top_k must be a positive integer, or None for all labels, got 0"),
        ({"top_k": "all"}, "top_k must be"),
        ({"top_k": True}, "top_k must be"),
        ({"stride": -1}, "stride must be a non-negative integer .*, got -1"),
        ({"stride": 62}, r"stride \(62\) must be less than 62, the number of text tokens in a window"),
        ({"return_embeddings": "yes"}, "return_embeddings must be True or False, got 'yes'"),
        ({"main_task": "emotion"}, "main_task 'emotion' is not a task of the model, which has none"),
    ],
)
def test_arguments_that_are_not_valid(csr: Factory, tokenizer: Any, arguments: dict[str, Any], message: str) -> None:
    model = csr()
    with pytest.raises(ValueError, match=message):
        emotions(model, tokenizer)(LONG, **arguments)
    with pytest.raises(ValueError, match=message):
        emotions(model, tokenizer, **arguments)(LONG)


def test_arguments_that_the_model_cannot_serve(multitask: Factory, stock: Factory, tokenizer: Any) -> None:
    several = emotions(multitask(tasks=("emotion", "sentiment")), tokenizer)
    with pytest.raises(ValueError, match="main_task 'irony' is not a task of the model, which has emotion, sentiment"):
        several("so", main_task="irony")
    with pytest.raises(ValueError, match="not supported by models of type 'bert'"):
        emotions(stock(), tokenizer)("so", return_embeddings=True)
    with pytest.raises(TypeError, match="truncate"):
        several("so", truncate=True)


def test_models_that_are_no_classifiers(csr: Factory, tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="CSRModel returns no logits"):
        emotions(csr().csr, tokenizer)("so")
