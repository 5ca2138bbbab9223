"""The page to try models: what it computes, what it shows, how it gets to the Hub, and its use in a real browser."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from modeling_csr import CSRForSequenceClassification, MultitaskForSequenceClassification
from tests.helpers import tiny_run
from trainers.data import BUNDLED_POSTS

SPACE = tiny_run.REPOSITORY / "trainers" / "hub" / "page"
# The parts import each other by their plain names, as on the Hub.
sys.path.append(str(SPACE))
attribution, classifier, markup, neighbours = map(
    importlib.import_module, ("attribution", "classifier", "markup", "neighbours")
)

sys.path.remove(str(SPACE))

LABELS = list(tiny_run.EMOTIONS)
HOSTILE = '<img src=x onerror="alert(1)"> ${alert(2)} {{value}}'


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Folders of an untrained `csr`, of a `stock` classifier with one label a text, and of a `regression`."""
    folder = tmp_path_factory.mktemp("models")
    encoder = tiny_run.write_encoder(folder / "encoder")
    names = {"id2label": dict(enumerate(LABELS)), "label2id": {name: index for index, name in enumerate(LABELS)}}
    torch.manual_seed(0)
    emotion, source = (
        MultitaskForSequenceClassification.from_encoder(
            str(encoder), {task: {"labels": LABELS, "problem_type": "multi_label_classification"}}
        ).multitask
        for task in ("emotion", "sentiment")
    )
    csr = CSRForSequenceClassification.from_encoders(emotion, [source], thresholds=[0.3, 0.5, 0.7], **names)
    # As it is initialised, it says 50 % of everything.
    for parameter in (*csr.csr.common_encoder.parameters(), *csr.classifier.parameters()):
        torch.nn.init.normal_(parameter)
    config = BertConfig.from_pretrained(encoder, id2label={0: "sad", 1: "glad"}, label2id={"sad": 0, "glad": 1})
    stock = BertForSequenceClassification(config)
    for name, model in (("csr", csr), ("stock", stock)):
        model.save_pretrained(folder / name)
        AutoTokenizer.from_pretrained(encoder, model_max_length=64).save_pretrained(folder / name)
    config.problem_type = "regression"
    config.save_pretrained(folder / "regression")
    return SimpleNamespace(csr=folder / "csr", stock=folder / "stock", regression=folder / "regression")


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("gradio", reason="the page needs gradio: pip install --editable '.[space]'")
    monkeypatch.syspath_prepend(SPACE)
    for name in ("MODEL", "COMPARE"):
        monkeypatch.delenv(name, raising=False)
    return importlib.import_module("app")


# -- what words contribute --------------------------------------------------------------------------------------------


def count_words(texts: Sequence[str]) -> np.ndarray:
    """Two labels: the first likes "good" and dislikes "bad", the second dislikes "good"."""
    return np.array([[0.5 + 0.2 * ("good" in t) - 0.1 * ("bad" in t), 0.6 - 0.3 * ("good" in t)] for t in texts])


def test_contribution_is_the_change_without_the_word() -> None:
    text = "good,  but\nbad"
    found = attribution.attribute(text, count_words, count_words([text])[0])
    assert [text[start:stop] for start, stop in found.spans] == ["good,", "but", "bad"]
    np.testing.assert_allclose(found.contributions, [[0.2, -0.3], [0, 0], [-0.1, 0]], atol=1e-12)


def test_single_word_has_nothing_to_be_compared_with() -> None:
    found = attribution.attribute(" good ", count_words, count_words(["good"])[0])
    assert found.spans == [] and found.contributions.shape == (0, 2)
    assert "single word" in markup.words(found, "joy", 0)


def test_words_of_long_texts_are_taken_in_runs() -> None:
    text = " ".join(f"w{number}" for number in range(130))
    spans = attribution.pieces(text)
    assert len(spans) == 64
    assert {len(text[start:stop].split()) for start, stop in spans} == {2, 3}
    assert " ".join(text[start:stop] for start, stop in spans) == text


# -- neighbours -------------------------------------------------------------------------------------------------------


def test_nearest_posts_by_cosine() -> None:
    posts = [neighbours.Post(name, ()) for name in ("along", "across", "between", "nowhere")]
    index = neighbours.Neighbours(posts, np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [0.0, 0.0]]))
    found = index.nearest(np.array([3.0, 0.0]), 3)
    assert [post.text for post, _ in found] == ["along", "between", "across"]
    assert [cosine for _, cosine in found] == pytest.approx([1, 0.5**0.5, 0])


def test_posts_are_read_with_their_labels(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"text": "one\u2028line", "emotions": {"joy": 0.5, "love": 1}}\n{"text": "two", "emotions": {}}\n', "utf-8"
    )
    (tmp_path / "b.jsonl").write_text('{"text": "three", "emotions": {"fear": 0.1}}\n', "utf-8")
    posts = neighbours.read_posts([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert posts == [
        neighbours.Post("one\u2028line", ("joy", "love")),
        neighbours.Post("two", ()),
        neighbours.Post("three", ("fear",)),
    ]


# -- models -----------------------------------------------------------------------------------------------------------


def test_reading_is_what_the_model_computes(models: SimpleNamespace) -> None:
    page = classifier.Classifier(str(models.csr))
    assert (page.labels, page.thresholds, page.space) == (LABELS, [0.3, 0.5, 0.7], "the common space")
    model = CSRForSequenceClassification.from_pretrained(models.csr)
    with torch.inference_mode():
        output = model(**AutoTokenizer.from_pretrained(models.csr)(["so happy again"], return_tensors="pt"))
    (reading,) = page.read(["so happy again"])
    np.testing.assert_allclose(reading.scores, output.logits.sigmoid()[0], rtol=1e-4)
    np.testing.assert_allclose(reading.vector, output.common_space[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(page.scores(["home", "so happy again"])[1], reading.scores, rtol=1e-4)
    assert page.decide(np.array([0.3, 0.49, 0.8])).tolist() == [True, False, True]


def test_stock_classifier_gives_probabilities_and_no_vector(models: SimpleNamespace) -> None:
    page = classifier.Classifier(str(models.stock))
    assert (page.labels, page.thresholds, page.space, page.limit) == (["sad", "glad"], None, None, 64)
    (reading,) = page.read(["so happy again"])
    assert reading.scores.sum() == pytest.approx(1) and reading.vector is None
    assert page.decide(np.array([0.4, 0.6])).tolist() == [False, True]


def test_long_texts_are_read_in_windows_or_cut(models: SimpleNamespace) -> None:
    texts = ["the day was so very " * 40 + end * 20 for end in ("home ", "furious ", "laughing ")]
    csr, stock = (classifier.Classifier(str(folder)) for folder in (models.csr, models.stock))
    # Only the windows reach the ends.
    assert np.ptp(csr.scores(texts), axis=0).max() > 1e-3
    np.testing.assert_allclose(np.ptp(stock.scores(texts), axis=0), 0, atol=1e-6)


def test_regression_is_refused(models: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="is a regression model"):
        classifier.Classifier(str(models.regression))


def test_folder_without_a_classifier_is_refused(models: SimpleNamespace) -> None:
    """Its head would be initialised at random."""
    with pytest.raises(ValueError, match=r"encoder is not a trained classifier: \d+ weights are missing"):
        classifier.Classifier(str(models.stock.parent / "encoder"))


# -- what is shown ----------------------------------------------------------------------------------------------------


def test_bars_show_probabilities_beside_thresholds() -> None:
    labels, thresholds = ["joy", "a<b>", "fear"], [0.25, 0.5, 0.9]
    html = markup.bars(labels, np.array([0.3, 0.61, 0.1]), np.array([True, True, False]), thresholds)
    rows = html.split("<tbody>")[1].split("</tr>")
    assert "a&lt;b&gt;" in rows[0] and "✓" in rows[0] and "<td>61 %</td><td>50 %</td>" in rows[0]
    assert 'width:30.0%"' in rows[1] and 'left:25.0%"' in rows[1] and "<td>30 %</td><td>25 %</td>" in rows[1]
    assert "✓" not in rows[2] and "<strong>joy, a&lt;b&gt;</strong>" in html and "a<b>" not in html
    assert "No label reaches its threshold." in markup.bars(labels, np.zeros(3), np.zeros(3), thresholds)
    assert "Threshold" not in markup.bars(labels, np.full(3, 1 / 3), np.array([True, False, False]))


def test_words_carry_their_points_and_their_sign() -> None:
    found = attribution.Attribution("so happy, not sad", [(0, 2), (3, 9), (10, 13), (14, 17)], np.zeros((4, 2)))
    found.contributions[:, 1] = [0.004, 0.2, -0.1, -0.004]
    html = markup.words(found, "joy", 1).split("</p>")[0]
    assert html == (
        '<p class="words"><span>so</span> <mark class="for" style="--strength:50%">happy,<sub>+20</sub></mark> '
        '<mark class="against" style="--strength:30%">not<sub>−10</sub></mark> <span>sad</span>'
    )


def test_whatever_comes_from_outside_is_escaped() -> None:
    text = f"{HOSTILE} & more"
    found = attribution.attribute(text, count_words, count_words([text])[0])
    post = neighbours.Post(HOSTILE, (HOSTILE,))
    for html in (markup.words(found, HOSTILE, 0), markup.neighbours([(post, 0.5)]), markup.note(HOSTILE)):
        assert "<img" not in html and "&lt;img" in html and 'onerror="' not in html


# -- the page without a browser ---------------------------------------------------------------------------------------


def test_two_models_with_other_labels_answer_side_by_side(app: ModuleType, models: SimpleNamespace) -> None:
    posts = [neighbours.Post("so happy", ("joy",)), neighbours.Post("crying all day", ())]
    views = [app.ModelView(app.Classifier(str(folder)), posts) for folder in (models.csr, models.stock)]
    app.build_page(views)
    first, last = app.respond(views, "so happy again")
    width = len(views[0].outputs)
    assert "Asking stock" in first[0] and first[1 + width] == "" and "Done" in last[0]
    bars, _, label, words, nearest, _ = last[1 : 1 + width]
    assert all(name in bars for name in LABELS) and "<td>70 %</td>" in bars
    assert label in LABELS and f"<em>{label}</em>" in words and "so happy" in nearest and "cosine" in nearest
    bars, _, label, words, nearest, _ = last[1 + width :]
    assert "glad" in bars and "Threshold" not in bars and "first 64 tokens" in bars
    assert label in ("sad", "glad") and "no common space" in nearest


@pytest.mark.parametrize(("text", "message"), [(" \n ", "nothing to read"), ("x" * 5001, "5,001 characters long")])
def test_text_that_cannot_be_read_is_answered_kindly(
    text: str, message: str, app: ModuleType, models: SimpleNamespace
) -> None:
    views = [app.ModelView(app.Classifier(str(models.stock)), [])]
    app.build_page(views)
    (answer,) = app.respond(views, text)
    assert message in answer[0] and answer[1] == "" and answer[-1] is None


def test_models_come_from_arguments_then_variables(
    app: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        app.parse_args([])
    assert "give --model, such as outputs/demo/csr after `make demo`" in capsys.readouterr().err
    monkeypatch.setenv("MODEL", "org/a")
    args = app.parse_args(["--compare", "org/b"])
    assert (args.model, args.compare) == ("org/a", "org/b")
    assert app.parse_args(["--model", "org/c"]).model == "org/c"


def test_model_that_is_not_there_is_named(app: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no-such-model could not be loaded"):
        app.main(["--model", str(tmp_path / "no-such-model"), "--posts", str(BUNDLED_POSTS / "emotion")])
