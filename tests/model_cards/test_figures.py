"""The figures: what is drawn, and that it is an image."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure

from model_cards.figures import plot_comparison, plot_learning_curves, plot_training_curves


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
    height, width, _ = image.shape
    assert 150 < height < 2000 and 300 < width < 2000
    assert len(np.unique(image.reshape(-1, image.shape[2]), axis=0)) > 10


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
    assert [line.get_label() for line in axes.lines] == list(scores)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(scores)
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[50, 20], [500, 40], [5000, 70]])
    np.testing.assert_allclose(axes.lines[1].get_xydata(), [[50, 20], [500, 50], [5000, 70]])
    bands = [item for item in axes.collections if isinstance(item, FillBetweenPolyCollection)]
    assert len(bands) == 2
    corners = {tuple(np.round(corner, 6)) for corner in bands[0].get_paths()[0].vertices}
    assert {(50.0, 10.0), (50.0, 30.0), (5000.0, 60.0), (5000.0, 80.0)} <= corners
    assert_image(tmp_path / "curves.png")
