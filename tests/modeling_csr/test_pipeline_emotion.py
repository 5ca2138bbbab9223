"""The emotion pipeline: labels over their thresholds, long texts in windows, with the package and without it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    pipeline,
)
from transformers.pipelines.pt_utils import KeyDataset, KeyPairDataset

from modeling_csr import EmotionClassificationPipeline

EMOTIONS = ["anger", "fear", "joy", "love"]
SENTIMENTS = ["negative", "neutral", "positive"]
TEXTS = ["you are my best friend and I love you!", "never again, what a bad night", "so happy"]
# 130 tokens: the first window is all sun, the last one all rain.
LONG = " ".join(["sun love joy good happy"] * 13 + ["rain hate fear bad sad"] * 13)
LIMIT, SPECIAL = 64, 2
Factory = Callable[..., Any]
Entries = list[dict[str, Any]]


@pytest.fixture
def tokenizer(tiny_encoder: Callable[[str], Path]) -> Any:
    return AutoTokenizer.from_pretrained(tiny_encoder("bert"))


def decided(model: PreTrainedModel) -> PreTrainedModel:
    """New heads give nearly the same scores to all texts: here they are apart, and so is the common space."""
    for name, parameter in model.named_parameters():
        if name.startswith(("classifier", "pre_classifier", "heads", "csr.common_encoder", "multitask.shared_layers")):
            torch.nn.init.normal_(parameter, std=0.2)
    return model


@pytest.fixture
def csr(csr: Factory) -> Factory:
    return lambda *args, **kwargs: decided(csr(*args, **kwargs))


@pytest.fixture
def multitask(multitask: Factory) -> Factory:
    return lambda *args, **kwargs: decided(multitask(*args, **kwargs))


@pytest.fixture
def stock(tiny_encoder: Callable[[str], Path]) -> Factory:
    """`stock(model_type="bert", num_labels=3, **config_kwargs)`: a classifier of transformers itself."""

    def build(model_type: str = "bert", num_labels: int = 3, **config_kwargs: Any) -> PreTrainedModel:
        names = SENTIMENTS[:num_labels]
        model = AutoModelForSequenceClassification.from_pretrained(
            tiny_encoder(model_type),
            id2label=dict(enumerate(names)),
            label2id={name: index for index, name in enumerate(names)},
            **config_kwargs,
        )
        return decided(model.eval())

    return build


def emotions(model: PreTrainedModel, tokenizer: Any, **kwargs: Any) -> EmotionClassificationPipeline:
    classifier = pipeline("emotion-classification", model=model, tokenizer=tokenizer, device="cpu", **kwargs)
    assert type(classifier) is EmotionClassificationPipeline
    return classifier


def logits(model: PreTrainedModel, tokenizer: Any, text: str) -> torch.Tensor:
    with torch.no_grad():
        return model(**tokenizer(text, return_tensors="pt")).logits[0]


def by_label(entries: Entries) -> dict[str, float]:
    assert [entry["score"] for entry in entries] == sorted((entry["score"] for entry in entries), reverse=True)
    assert all(set(entry) == {"label", "score"} for entry in entries)
    return {entry["label"]: entry["score"] for entry in entries}


def approx(labels: list[str], values: torch.Tensor) -> Any:
    return pytest.approx(dict(zip(labels, values.tolist(), strict=True)), abs=1e-6)


def close(found: Any, expected: Any) -> None:
    """Results of the pipeline that differ by rounding at most."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert by_label(one) == pytest.approx(by_label(other), abs=1e-5)


def windows(tokenizer: Any, text: str, limit: int, stride: int) -> tuple[list[dict[str, torch.Tensor]], torch.Tensor]:
    """The windows of a text cut by hand, and what share of the weights each has."""
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    size, cut = limit - SPECIAL, []
    for start in range(0, len(ids), size - stride):
        cut.append(ids[start : start + size])
        if start + size >= len(ids):
            break
    batches = [torch.tensor([[tokenizer.cls_token_id, *part, tokenizer.sep_token_id]]) for part in cut]
    lengths = torch.tensor([float(len(part)) for part in cut])
    return [{"input_ids": ids, "attention_mask": torch.ones_like(ids)} for ids in batches], lengths / lengths.sum()


# --- labels


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_all_labels_have_the_models_own_numbers(request: pytest.FixtureRequest, tokenizer: Any, family: str) -> None:
    model = request.getfixturevalue(family)()
    for text, entries in zip(TEXTS, emotions(model, tokenizer, top_k=None)(TEXTS), strict=True):
        assert by_label(entries) == dict(zip(EMOTIONS, logits(model, tokenizer, text).sigmoid().tolist(), strict=True))


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
    expected = [classifier(text) for text in TEXTS]
    dataset = Dataset.from_dict({"text": TEXTS, "number": [1, 2, 3]})
    assert classifier(TEXTS) == expected
    assert classifier(tuple(TEXTS)) == expected
    assert classifier(dataset["text"]) == expected
    assert classifier({"text": TEXTS[0]}) == expected[0]
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
    assert classifier(TEXTS[:1]) == expected[:1]


def test_generators_are_read_as_they_are_needed(csr: Factory, tokenizer: Any) -> None:
    read = []

    def texts() -> Iterator[str]:
        for text in TEXTS:
            read.append(text)
            yield text

    found = emotions(csr(), tokenizer)(texts())
    next(iter(found))
    assert read == TEXTS[:1]


def test_pairs_of_texts(stock: Factory, tokenizer: Any) -> None:
    model = stock()
    classifier = emotions(model, tokenizer, top_k=None)
    with torch.no_grad():
        batch = tokenizer(TEXTS[0], TEXTS[1], return_tensors="pt")
        expected = approx(SENTIMENTS, model(**batch).logits[0].softmax(-1))
    dataset = Dataset.from_dict({"first": [TEXTS[0]], "second": [TEXTS[1]]})
    assert [by_label(entries) for entries in classifier(KeyPairDataset(dataset, "first", "second"))] == [expected]
    with pytest.raises(ValueError, match="A pair of texts has 149 tokens, and the model reads 64"):
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


# --- long texts


@pytest.mark.parametrize("stride", [None, 0, 20])
def test_multi_label_scores_of_long_texts_are_the_highest_of_any_window(
    csr: Factory, tokenizer: Any, stride: int | None
) -> None:
    model = csr()
    batches, _ = windows(tokenizer, LONG, LIMIT, 15 if stride is None else stride)
    assert len(batches) == 3
    with torch.no_grad():
        # One label's score is high where the other's is low.
        for parameter in model.classifier.parameters():
            parameter[1] = -parameter[0]
        scores = torch.cat([model(**batch).logits for batch in batches]).sigmoid()
    assert scores.argmax(0).unique().numel() > 1  # no window has all of the maxima
    found = emotions(model, tokenizer, stride=stride)(LONG, top_k=None)
    assert by_label(found) == approx(EMOTIONS, scores.amax(0))


def test_single_label_scores_of_long_texts_are_weighted_means(stock: Factory, tokenizer: Any) -> None:
    model = stock()
    batches, weights = windows(tokenizer, LONG, LIMIT, 15)
    assert weights.tolist() == pytest.approx([62 / 160, 62 / 160, 36 / 160])
    with torch.no_grad():
        scores = torch.cat([model(**batch).logits for batch in batches]).softmax(-1)
    found = by_label(emotions(model, tokenizer)(LONG, top_k=None))
    assert found == approx(SENTIMENTS, weights @ scores)
    assert sum(found.values()) == pytest.approx(1)


def test_a_text_that_just_fits_is_one_window(csr: Factory, tokenizer: Any) -> None:
    model = csr()
    classifier = emotions(model, tokenizer, top_k=None)
    fits = " ".join(LONG.split()[: LIMIT - SPECIAL])
    assert by_label(classifier(fits)) == dict(
        zip(EMOTIONS, logits(model, tokenizer, fits).sigmoid().tolist(), strict=True)
    )
    batches, _ = windows(tokenizer, f"{fits} rain", LIMIT, 15)
    assert [batch["input_ids"].shape[1] for batch in batches] == [64, 18]
    with torch.no_grad():
        expected = torch.cat([model(**batch).logits for batch in batches]).sigmoid().amax(0)
    assert by_label(classifier(f"{fits} rain")) == approx(EMOTIONS, expected)


@pytest.mark.parametrize(("model_type", "limit"), [("bert", 66), ("roberta", 64), ("mpnet", 64), ("modernbert", 66)])
def test_windows_are_bounded_by_every_encoder(csr: Factory, tokenizer: Any, model_type: str, limit: int) -> None:
    """RoBERTa and MPNet leave two of their 66 positions unused, the padding's and the one before it; ModernBERT has no
    table of positions, only a number in its config."""
    model = csr("modernbert", sources=(model_type,))
    tokenizer.model_max_length = int(1e30)
    with torch.no_grad():
        batches, _ = windows(tokenizer, LONG, limit, (limit - SPECIAL) // 4)
        expected = torch.cat([model(**batch).logits for batch in batches]).sigmoid().amax(0)
    assert by_label(emotions(model, tokenizer)(LONG, top_k=None)) == approx(EMOTIONS, expected)


def test_the_tokenizer_may_set_shorter_windows(csr: Factory, tokenizer: Any) -> None:
    model = csr()
    tokenizer.model_max_length = 34
    batches, _ = windows(tokenizer, LONG, 34, 8)
    assert len(batches) == 6
    with torch.no_grad():
        expected = torch.cat([model(**batch).logits for batch in batches]).sigmoid().amax(0)
    assert by_label(emotions(model, tokenizer)(LONG, top_k=None)) == approx(EMOTIONS, expected)


# --- embeddings


def test_embeddings_are_the_common_space(csr: Factory, tokenizer: Any) -> None:
    for model in (csr(), csr(common_level="token")):
        classifier = emotions(model, tokenizer)
        for text in TEXTS:
            found = classifier(text, return_embeddings=True)
            assert set(found) == {"labels", "embedding"}
            assert found["labels"] == classifier(text)
            with torch.no_grad():
                expected = model.csr(**tokenizer(text, return_tensors="pt")).common_space[0]
            assert found["embedding"] == expected.tolist()


@pytest.mark.parametrize("representation", ["pooled", "shared"])
def test_embeddings_of_multitask_models_are_their_representation(
    multitask: Factory, tokenizer: Any, representation: str
) -> None:
    model = multitask(shared_layer_sizes=[8], representation=representation)
    found = emotions(model, tokenizer, return_embeddings=True)(TEXTS)
    for text, result in zip(TEXTS, found, strict=True):
        with torch.no_grad():
            expected = model.multitask(**tokenizer(text, return_tensors="pt")).representation[0]
        assert result["embedding"] == expected.tolist()


def test_embeddings_of_long_texts_are_weighted_means(csr: Factory, tokenizer: Any) -> None:
    model = csr()
    batches, weights = windows(tokenizer, LONG, LIMIT, 15)
    with torch.no_grad():
        expected = weights @ torch.cat([model.csr(**batch).common_space for batch in batches])
    found = emotions(model, tokenizer)(LONG, return_embeddings=True)
    torch.testing.assert_close(torch.tensor(found["embedding"]), expected)


# --- what cannot be done


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("", r"inputs\[0\] is empty"),
        (["so", " \n"], r"inputs\[1\] is empty"),
        (["so", "happy", None], r"inputs\[2\] must be a text, got NoneType"),
        (["so", ["happy"]], r"inputs\[1\] must be a text, got list"),
        (3, r"inputs\[0\] must be a text, got int"),
        (b"so", r"inputs\[0\] must be a text, got bytes"),
        ([{"text": "so"}, {"tweet": "happy"}], r'inputs\[1\] is a dictionary without "text"; it has tweet'),
        ([{"text": "so", "text_pair": 1}], r"inputs\[0\]\['text_pair'\] must be a text, got int"),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 8])
def test_what_is_no_text(csr: Factory, tokenizer: Any, inputs: Any, message: str, batch_size: int) -> None:
    with pytest.raises(ValueError, match=message):
        emotions(csr(), tokenizer)(inputs, batch_size=batch_size)


def test_what_is_no_text_in_a_stream(csr: Factory, tokenizer: Any) -> None:
    classifier = emotions(csr(), tokenizer)
    found = classifier(text for text in [*TEXTS, None])
    with pytest.raises(ValueError, match=r"inputs\[3\] must be a text, got NoneType"):
        list(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top_k": 0}, "top_k must be a positive whole number, or None for all labels, got 0"),
        ({"top_k": "all"}, "top_k must be"),
        ({"top_k": True}, "top_k must be"),
        ({"stride": -1}, "stride must be a whole number of tokens, 0 or more, got -1"),
        ({"stride": 62}, r"stride \(62\) must be below 62, the tokens of text in a window"),
        ({"return_embeddings": "yes"}, "return_embeddings must be True or False, got 'yes'"),
        ({"main_task": "emotion"}, "main_task 'emotion': the model's tasks are not named"),
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
    with pytest.raises(ValueError, match="main_task 'irony': the model's tasks are emotion, sentiment"):
        several("so", main_task="irony")
    with pytest.raises(ValueError, match="a model of type 'bert' has no common space"):
        emotions(stock(), tokenizer)("so", return_embeddings=True)
    with pytest.raises(TypeError, match="truncate"):
        several("so", truncate=True)


def test_models_that_are_no_classifiers(csr: Factory, tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="CSRModel gives no logits"):
        emotions(csr().csr, tokenizer)("so")


# --- what is saved


def test_only_classifiers_name_the_pipeline(multitask: Factory, csr: Factory, siamese: Factory, tmp_path: Path) -> None:
    entry = {
        "impl": "pipeline_emotion.EmotionClassificationPipeline",
        "pt": ["AutoModelForSequenceClassification"],
        "type": "text",
    }
    for model, named in (
        (multitask(), True),
        (csr(), True),
        (multitask().multitask, False),
        (csr().csr, False),
        (siamese(), False),
    ):
        before = model.config.to_dict()
        model.save_pretrained(tmp_path)
        text = (tmp_path / "config.json").read_text()
        assert json.loads(text).get("custom_pipelines") == ({"emotion-classification": entry} if named else None)
        assert text.count("custom_pipelines") == named  # the configs of the encoders have none
        added = set(model.config.to_dict()) - set(before)
        assert added <= {"auto_map"}  # nothing else stays in a config that other models may share


def test_a_base_model_of_a_classifiers_folder_names_none(csr: Factory, tmp_path: Path) -> None:
    csr().save_pretrained(tmp_path / "classifier")
    AutoModel.from_pretrained(tmp_path / "classifier").save_pretrained(tmp_path / "base")
    assert "custom_pipelines" not in (tmp_path / "base" / "config.json").read_text()


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_configs_go_round_in_a_circle(request: pytest.FixtureRequest, tmp_path: Path, family: str) -> None:
    request.getfixturevalue(family)().save_pretrained(tmp_path / "new")
    # Loading writes the precision into the configs of the encoders, where a new model has none: the circle begins then.
    for before, after in (("new", "first"), ("first", "second")):
        loaded, info = AutoModelForSequenceClassification.from_pretrained(tmp_path / before, output_loading_info=True)
        assert not any(info.values())
        loaded.save_pretrained(tmp_path / after)
    new, first, second = (
        json.loads((tmp_path / name / "config.json").read_text()) for name in ("new", "first", "second")
    )
    assert first == second
    assert first["custom_pipelines"] == new["custom_pipelines"]
    assert AutoConfig.from_pretrained(tmp_path / "first").custom_pipelines == {}


def test_pipelines_can_be_saved(csr: Factory, stock: Factory, tokenizer: Any, tmp_path: Path) -> None:
    for name, model in (("csr", csr(thresholds=[0.1, 0.9, 0.5, 0.5])), ("stock", stock())):
        classifier = emotions(model, tokenizer)
        classifier.save_pretrained(tmp_path / name)
        named = json.loads((tmp_path / name / "config.json").read_text())["custom_pipelines"]["emotion-classification"]
        assert named["impl"] == "pipeline_emotion.EmotionClassificationPipeline"
        assert {"pipeline_emotion.py", "handler.py"} <= {path.name for path in (tmp_path / name).iterdir()}
        again = pipeline(
            "emotion-classification", model=str(tmp_path / name), trust_remote_code=True if name == "stock" else None
        )
        assert again(TEXTS) == classifier(TEXTS)


# --- in a process of its own

CLASSIFY = """
import json, sys
from pathlib import Path

package, folder = sys.argv[1] == "package", Path(sys.argv[2])
if package:
    import modeling_csr
else:
    try:
        import modeling_csr
    except ImportError:
        pass
    else:
        sys.exit(f"modeling_csr can be imported from {modeling_csr.__file__}")

from transformers import AutoModel, pipeline

trust = {} if package else {"trust_remote_code": True}
texts = json.loads((folder / "texts.json").read_text())
found = {}
for path in sorted(path for path in folder.iterdir() if path.is_dir()):
    classifier = pipeline("emotion-classification", model=str(path), device="cpu", **trust)
    found[path.name] = {
        "class": type(classifier).__module__.split(".")[0],
        "model": type(classifier.model).__module__.split(".")[0],
        "default": classifier(texts),
        "all": classifier(texts, top_k=None, batch_size=4),
        "embeddings": [result["embedding"] for result in classifier(texts, return_embeddings=True)],
        "text-classification": pipeline("text-classification", model=str(path), top_k=None, **trust)(texts[:-1]),
    }
    if not package:
        assert pipeline(model=str(path), **trust)(texts) == found[path.name]["default"]
        again = path.parent / f"{path.name}-again"
        classifier.save_pretrained(again)
        config, own = (json.loads((folder / "config.json").read_text()) for folder in (again, path))
        assert config["custom_pipelines"] == own["custom_pipelines"] and config["auto_map"] == own["auto_map"]
        assert {file.name for file in again.glob("*.py")} == {file.name for file in path.glob("*.py")}
        assert pipeline("emotion-classification", model=str(again), **trust)(texts) == found[path.name]["default"]
        AutoModel.from_pretrained(path, **trust).save_pretrained(again)
        assert "custom_pipelines" not in (again / "config.json").read_text()
print(json.dumps(found))
"""


@pytest.mark.parametrize("how", ["remote code", "package"])
def test_a_fresh_process_gives_the_same_numbers(
    multitask: Factory, csr: Factory, tokenizer: Any, tmp_path: Path, fresh_python: Callable[..., str], how: str
) -> None:
    models = {
        "csr": csr(thresholds=[0.3, 0.4, 0.5, 0.6]),
        "several": multitask("roberta", tasks=("emotion", "sentiment"), main_task="sentiment"),
        "tokens": csr("electra", sources=("bert", "mpnet"), common_level="token"),
    }
    texts = [*TEXTS, LONG]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    for name, model in models.items():
        model.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
    # The last line: before it may come what the libraries print.
    found = json.loads(fresh_python(CLASSIFY, how, tmp_path, with_package=how == "package").splitlines()[-1])
    assert set(found) == set(models)
    for name, model in models.items():
        result, classifier = found[name], emotions(model, tokenizer)
        expected = "modeling_csr" if how == "package" else "transformers_modules"
        assert result["class"] == result["model"] == expected
        close(result["default"], classifier(texts))
        close(result["all"], classifier(texts, top_k=None))
        close(result["text-classification"], classifier(TEXTS, top_k=None))
        vectors = [output["embedding"] for output in classifier(texts, return_embeddings=True)]
        torch.testing.assert_close(torch.tensor(result["embeddings"]), torch.tensor(vectors))


def test_remote_code_is_not_run_unasked(
    csr: Factory, tokenizer: Any, tmp_path: Path, fresh_python: Callable[..., str]
) -> None:
    csr().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    code = """
import sys
from transformers import pipeline
try:
    pipeline("emotion-classification", model=sys.argv[1], trust_remote_code=False)
except ValueError as error:
    print("trust_remote_code=True" in str(error))
"""
    assert fresh_python(code, tmp_path).split() == ["True"]
