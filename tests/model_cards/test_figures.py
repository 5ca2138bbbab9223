"""The figures: what is drawn, and that it is an image."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from model_cards import (
    plot_attention,
    plot_comparison,
    plot_decisions,
    plot_learning_curves,
    plot_scores,
    plot_space,
    plot_speeds,
    plot_stages,
    plot_training_curves,
)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were saved, still to be looked at."""
    saved: list[Figure] = []
    save = Figure.savefig

    def savefig(figure: Figure, *args: object, **kwargs: object) -> None:
        saved.append(figure)
        save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return saved


def assert_image(path: Path) -> None:
    """A PNG of a size that can be read, on which something is drawn."""
    image = matplotlib.image.imread(path)
    height, width, channels = image.shape
    assert 150 < height < 2000 and 300 < width < 2000
    # One number a colour: sorting millions of rows takes seconds.
    colours = np.rint(255 * image).astype(np.int64) @ 256 ** np.arange(channels)
    assert len(np.unique(colours)) > 10


def test_training_curves(figures: list[Figure], tmp_path: Path) -> None:
    log = [
        {"epoch": 0.5, "loss": 0.7, "prediction_loss": 0.6, "learning_rate": 1e-3},
        {"epoch": 1.0, "loss": 0.5, "prediction_loss": 0.4, "learning_rate": 0.0},
        {"epoch": 1.0, "eval_loss": 0.6, "eval_jaccard": 0.2},
        {"epoch": 1.0, "train_loss": 0.6},
    ]
    plot_training_curves(log, tmp_path / "curves.png")
    (axes,) = figures[0].axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert drawn == {
        "loss": [[0.5, 0.7], [1.0, 0.5]],
        "prediction loss": [[0.5, 0.6], [1.0, 0.4]],
        "dev loss": [[1.0, 0.6]],
    }
    assert_image(tmp_path / "curves.png")


def test_training_curves_of_an_empty_log(figures: list[Figure], tmp_path: Path) -> None:
    plot_training_curves([], tmp_path / "nothing.png")
    (axes,) = figures[0].axes
    assert not axes.lines and axes.get_legend() is None


def test_comparison_shows_each_seed_and_the_mean(figures: list[Figure], tmp_path: Path) -> None:
    scores = {
        "bert": {"jaccard": [0.5, 0.6, 0.7], "micro_f1": [0.6, 0.6, 0.9]},
        "model-3.3": {"jaccard": [0.4, 0.4, 0.4], "micro_f1": [0.1, 0.2, 0.3]},
    }
    plot_comparison(scores, tmp_path / "comparison.png", "E-c")
    assert [axes.get_xlabel() for axes in figures[0].axes] == ["jaccard x 100", "micro f1 x 100"]
    for axes, metric in zip(figures[0].axes, ("jaccard", "micro_f1"), strict=True):
        # The first recipe stands at the top.
        assert axes.yaxis_inverted()
        assert len(axes.lines) == 4
        for row, by_metric in enumerate(scores.values()):
            seeds, mean = axes.lines[2 * row : 2 * row + 2]
            assert seeds.get_xdata() == pytest.approx([100 * value for value in by_metric[metric]])
            assert mean.get_xdata() == pytest.approx([100 * sum(by_metric[metric]) / 3])
            assert set(seeds.get_ydata()) == set(mean.get_ydata()) == {row}
    labels = [label.get_text() for label in figures[0].axes[0].get_yticklabels()]
    assert labels == ["bert", "model-3.3"]
    assert figures[0].get_suptitle() == "E-c"
    assert_image(tmp_path / "comparison.png")


def test_comparison_of_one_recipe_and_one_metric(tmp_path: Path) -> None:
    plot_comparison({"bert": {"accuracy": [0.5]}}, tmp_path / "comparison.png", "ISEAR")
    assert_image(tmp_path / "comparison.png")


def test_learning_curves_have_a_line_a_recipe(figures: list[Figure], tmp_path: Path) -> None:
    scores = {
        # In no order.
        "bert": {1.0: [0.6, 0.8], 0.01: [0.1, 0.3], 0.1: [0.4, 0.4]},
        "model-3.3": {0.01: [0.2], 0.1: [0.5], 1.0: [0.7]},
    }
    plot_learning_curves(scores, tmp_path / "curves.png", "micro_f1", 5000)
    (axes,) = figures[0].axes
    assert axes.get_xscale() == "log" and axes.get_ylabel() == "micro f1 x 100 (dev)"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["50", "500", "5,000"]
    assert [line.get_label() for line in axes.lines] == list(scores)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(scores)
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[50, 20], [500, 40], [5000, 70]])
    np.testing.assert_allclose(axes.lines[1].get_xydata(), [[50, 20], [500, 50], [5000, 70]])
    bands = [item for item in axes.collections if isinstance(item, FillBetweenPolyCollection)]
    assert len(bands) == 2
    corners = {tuple(np.round(corner, 6)) for corner in bands[0].get_paths()[0].vertices}
    assert {(50.0, 10.0), (50.0, 30.0), (5000.0, 60.0), (5000.0, 80.0)} <= corners
    assert_image(tmp_path / "curves.png")


def test_stages_are_boxes_with_arrows(figures: list[Figure], tmp_path: Path) -> None:
    parents = {"bert": [], "emotion": ["bert"], "sentiment": ["bert"], "siamese": ["emotion"], "csr": []}
    parents["csr"] = ["emotion", "sentiment", "siamese"]
    plot_stages(parents, "csr", tmp_path / "stages.png")
    (axes,) = figures[0].axes
    boxes = {text.get_text(): text for text in axes.texts if text.get_text()}
    assert boxes.keys() == parents.keys()
    places = {name: text.get_position() for name, text in boxes.items()}
    assert len(set(places.values())) == 5
    # From left to right, each behind the last of its parents.
    columns = [
        {name for name, (x, _) in places.items() if x == column} for column in sorted({x for x, _ in places.values()})
    ]
    assert columns == [{"bert"}, {"emotion", "sentiment"}, {"siamese"}, {"csr"}]
    arrows = {(text.xyann, text.xy) for text in axes.texts if isinstance(text, Annotation)}
    assert arrows == {(places[parent], places[name]) for name, made_of in parents.items() for parent in made_of}
    colours = {name: to_hex(text.get_bbox_patch().get_facecolor()) for name, text in boxes.items()}
    assert colours.pop("csr") != "#ffffff" and set(colours.values()) == {"#ffffff"}
    assert_image(tmp_path / "stages.png")


def test_decisions_are_shares_of_the_annotated_texts(figures: list[Figure], tmp_path: Path) -> None:
    targets = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]])
    decisions = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 1, 0], [1, 1, 1]])
    plot_decisions(decisions, targets, ["anger", "joy", "fear"], tmp_path / "decisions.png")
    axes, _ = figures[0].axes
    # Of the 4 angry texts 3 were called angry, 2 joyful and 1 fearful; of the 2 joyful ones 1 angry and 1 joyful. No
    # text is annotated with fear, and the last one with nothing.
    shares = [[0.75, 0.5, 0.25], [0.5, 0.5, 0], [0, 0, 0]]
    np.testing.assert_allclose(axes.images[0].get_array(), shares)
    assert axes.images[0].get_clim() == (0, 1)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["anger", "joy", "fear"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["anger (4)", "joy (2)", "fear (0)"]
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {(j, i): f"{shares[i][j]:.2f}" for i in range(3) for j in range(3)}
    assert_image(tmp_path / "decisions.png")


def test_decisions_of_single_labels_are_a_confusion_matrix(figures: list[Figure], tmp_path: Path) -> None:
    classes = np.eye(3)
    plot_decisions(classes[[0, 1, 1, 2]], classes[[0, 0, 1, 2]], ["a", "b", "c"], tmp_path / "decisions.png")
    np.testing.assert_allclose(figures[0].axes[0].images[0].get_array(), [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]])


def test_decisions_about_many_labels_have_no_numbers(figures: list[Figure], tmp_path: Path) -> None:
    plot_decisions(np.eye(28), np.eye(28), [f"label {n}" for n in range(28)], tmp_path / "decisions.png")
    assert not figures[0].axes[0].texts
    assert_image(tmp_path / "decisions.png")


def test_space_has_a_picture_a_label(figures: list[Figure], tmp_path: Path) -> None:
    # Most of the variance lies on the first axis, some on the second; the third is theirs mirrored, hence on neither.
    vectors = np.array([[6, 1, 0], [-6, 1, 0], [6, -1, 0], [-6, -1, 0], [0, 0, 0.5], [0, 0, -0.5]], dtype=float)
    targets = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]])
    plot_space(vectors, targets, ["anger", "joy", "fear"], tmp_path / "space.png")
    pictures = figures[0].axes
    assert [axes.get_title() for axes in pictures] == ["anger", "joy", "fear"]
    points = []
    for axes, present in zip(pictures, targets.T.astype(bool), strict=True):
        without, with_label = (np.asarray(scatter.get_offsets()) for scatter in axes.collections)
        assert len(with_label) == present.sum() and len(without) == (~present).sum()
        # Up to the sign of an axis, the first two columns.
        np.testing.assert_allclose(np.abs(with_label), np.abs(vectors[present, :2]), atol=1e-9)
        points.append(with_label)
    # Angry texts lie on one side, joyful ones on the other.
    assert np.sign(points[0][:2, 0]).tolist() in ([1, 1], [-1, -1])
    assert np.sign(points[0][0, 0]) == -np.sign(points[1][0, 0])
    # (144 + 4) / 148.5 of the variance.
    assert figures[0].get_supxlabel().startswith("two principal components (100 % of")
    assert_image(tmp_path / "space.png")


def test_space_of_many_labels_and_of_one(figures: list[Figure], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(20, 8))
    plot_space(vectors, rng.integers(0, 2, (20, 7)), [f"label {n}" for n in range(7)], tmp_path / "many.png")
    assert [axes.axison for axes in figures[0].axes] == [True] * 7 + [False]
    plot_space(vectors, rng.integers(0, 2, (20, 1)), ["joy"], tmp_path / "one.png")
    assert [axes.get_title() for axes in figures[1].axes] == ["joy"]
    assert_image(tmp_path / "many.png")


@pytest.mark.parametrize("name", ["a $b$ _c_", "$\\frac$", "\\frac", "{{ x }}", "<b>", "$", "x^2", "_x", "🎉"])
@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_labels_are_text(name: str, figures: list[Figure], tmp_path: Path) -> None:
    """Labels come from data, and a dollar is no mathematics there."""
    draw_all(name, tmp_path)
    assert figures[1].axes[0].get_title() == name
    assert figures[4].axes[0].get_legend().get_texts()[0].get_text().strip() == name
    assert len(list(tmp_path.glob("*.png"))) == 6


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines", "two lines"),
        ("a\0b\x1b[31m", "a\ufffdb\ufffd[31m"),
        ("\ud83d half", "� half"),
        ("x" * 500, "x" * 47 + "…"),
    ],
)
@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_labels_that_cannot_stand_in_a_figure(name: str, shown: str, figures: list[Figure], tmp_path: Path) -> None:
    draw_all(name, tmp_path)
    assert figures[0].axes[0].get_xticklabels()[0].get_text() == shown
    assert figures[1].axes[0].get_title() == shown
    assert figures[3].axes[0].get_yticklabels()[0].get_text() == shown
    assert len(list(tmp_path.glob("*.png"))) == 6


def draw_all(name: str, folder: Path) -> None:
    plot_decisions(np.eye(2), np.eye(2), [name, "joy"], folder / "decisions.png")
    plot_space(np.eye(3), np.eye(3)[:, :2], [name, "joy"], folder / "space.png")
    plot_stages({name: [], "csr": [name]}, "csr", folder / "stages.png", {name: name})
    plot_comparison({name: {"accuracy": [0.5]}}, folder / "comparison.png", name)
    plot_learning_curves({name: {0.5: [0.5], 1.0: [0.5]}}, folder / "learning.png", "accuracy", 10)
    plot_training_curves([{"epoch": 1.0, f"{name}_loss": 0.5}], folder / "training.png")


def test_encoder_may_have_the_name_of_a_stage(figures: list[Figure], tmp_path: Path) -> None:
    parents = {"emotion-encoder": [], "csr": ["emotion-encoder"]}
    plot_stages(parents, "csr", tmp_path / "stages.png", {"emotion-encoder": "emotion-encoder"})
    boxes = [text for text in figures[0].axes[0].texts if text.get_text()]
    assert [text.get_text() for text in boxes] == ["emotion-encoder", "emotion-encoder", "csr"]
    encoder, first, last = (text.get_position() for text in boxes)
    arrows = {(text.xyann, text.xy) for text in figures[0].axes[0].texts if isinstance(text, Annotation)}
    assert arrows == {(encoder, first), (first, last)}


def test_thousands_of_labels(figures: list[Figure], tmp_path: Path) -> None:
    """At half an inch for each, matplotlib refuses some 1,200, and panels in a row even earlier."""
    names = [f"label {number}" for number in range(1300)]
    targets = np.eye(1300)
    plot_decisions(targets, targets, names, tmp_path / "decisions.png")
    shown = [label.get_text() for label in figures[0].axes[0].get_xticklabels()]
    assert shown[:2] == ["label 0", "label 10"] and figures[0].axes[0].images[0].get_array().shape == (1300, 1300)
    plot_space(targets[:4, :8], targets[:4], names, tmp_path / "space.png")
    assert [axes.get_title() for axes in figures[1].axes] == names[:48]
    assert all(max(figure.get_size_inches()) < 30 for figure in figures)
    assert len(list(tmp_path.glob("*.png"))) == 2


def test_figure_that_cannot_be_drawn_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A figure never costs the training that it shows."""
    path = tmp_path / "decisions.png"
    path.write_bytes(b"of an earlier training")
    plot_decisions(np.eye(2), np.eye(3), ["joy", "anger"], path=path)
    assert f"{path} could not be drawn and is left out (ValueError: " in caplog.text
    assert not path.exists()


def test_attention(figures: list[Figure], tmp_path: Path) -> None:
    weights = {"heads": np.eye(3), "pooling": np.full((3, 3), 1 / 3)}
    names = ["1 A: $5 for that?", "2 B", "3 A: " + "so long " * 20]
    plot_attention(weights, names, tmp_path / "attention.png")
    assert_image(tmp_path / "attention.png")
    first, second, _ = figures[0].axes
    assert [axes.get_title() for axes in (first, second)] == ["heads", "pooling"]
    assert np.array_equal(first.get_images()[0].get_array(), np.eye(3))
    labels = [label.get_text() for label in first.get_yticklabels()]
    assert labels[:2] == names[:2] and len(labels[2]) == 48 and labels[2].endswith("…")


def test_scores_are_drawn_where_they_are_annotated(figures: list[Figure], tmp_path: Path) -> None:
    gold = np.array([[0.1, np.nan], [0.5, 0.2], [np.nan, 0.9]])
    predicted = np.array([[0.2, 0.3], [0.4, 0.1], [0.6, 0.8]])
    plot_scores(predicted, gold, ["an$er$", "joy"], tmp_path / "scores.png")
    points = [axes.collections[0].get_offsets().tolist() for axes in figures[0].axes]
    assert points == [[[0.1, 0.2], [0.5, 0.4]], [[0.2, 0.1], [0.9, 0.8]]]
    assert [axes.get_title() for axes in figures[0].axes] == ["an$er$", "joy"]
    assert_image(tmp_path / "scores.png")


def test_speeds_have_a_line_for_each_kind(figures: list[Figure], tmp_path: Path) -> None:
    points = {
        "distilled": {"3 layers": (5.0, [0.5, 0.6]), "1 layer": (20.0, [0.4, 0.4]), "6 layers": (2.5, [0.6, 0.6])},
        "$teacher$": {"teacher": (1.0, [0.61])},
    }
    plot_speeds(points, tmp_path / "speeds.png", "jaccard")
    (axes,) = figures[0].axes
    means = {line.get_label(): line.get_xydata() for line in axes.lines if line.get_label() in points}
    # From the slowest to the fastest, whatever their order.
    assert np.allclose(means["distilled"], [[2.5, 60], [5, 55], [20, 40]])
    assert np.allclose(means["$teacher$"], [[1, 61]])
    seeds = [line.get_xydata() for line in axes.lines if line.get_label() not in points]
    assert any(np.allclose(one, [[5, 50], [5, 60]]) for one in seeds if len(one) == 2)
    assert axes.get_xscale() == "log" and axes.get_ylabel() == "jaccard x 100 (dev)"
    assert {text.get_text() for text in axes.texts} == {"3 layers", "1 layer", "6 layers", "teacher"}
    assert_image(tmp_path / "speeds.png")
