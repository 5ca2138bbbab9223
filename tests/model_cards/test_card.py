"""The card of a stage: what the Hub reads, what people read, and the code in it."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from matplotlib.image import imread

from model_cards import StageCard, plot_training_curves
from model_cards.card import CardDataset

tiny_run = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "tiny_run.py")))

# One of every kind.
STAGES = {"multitask": "emotion-encoder", "siamese": "siamese", "csr": "csr"}
RUN_SNIPPETS = """
import os, sys
os.chdir(sys.argv[1])
for stage in sys.argv[2:]:
    print("#", stage, flush=True)
    exec(open(stage).read(), {})
"""


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose encoder and data are known by paths of this machine alone."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    tiny_run.example("run_csr").main(
        tiny_run.options(place, place / "out", threshold="per_label", num_train_epochs=3, eval_strategy="epoch")
    )
    return place / "out"


def card(**changes: Any) -> StageCard:
    metrics = {"jaccard": 0.61234, "jaccard_zero": 0.5, "micro_f1": 0.7, "macro_f1": 0.55557}
    scores = {"precision": 0.25, "recall": 0.75, "f1": 0.375, "support": 8}
    fields: dict[str, Any] = {
        "title": "csr",
        "kind": "csr",
        "stage": "csr",
        "starts_from": {"emotion_encoder": "emotion-encoder", "sentiment_encoder": "sentiment-encoder"},
        "base_model": "org/encoder",
        "encoder": "org/encoder",
        "labels": ["anger", "joy: a 'yes'"],
        "datasets": [
            CardDataset(
                "posts", "org/posts", "cc-by-4.0", "@misc{posts,\n  title = {Posts}\n}", {"train": 80, "dev": 15}
            )
        ],
        "results": {
            "metrics": metrics,
            "metrics_at_0.5": {name: value - 0.01 for name, value in metrics.items()},
            "thresholds": {"anger": 0.25, "joy: a 'yes'": 0.625},
            "per_label": {"anger": scores, "joy: a 'yes'": {**scores, "f1": 0.5}},
            "shuffled": {"emotion": {**metrics, "micro_f1": 0.1}, "sources": {**metrics, "micro_f1": 0.65}},
        },
        "hyperparameters": {"learning_rate": 0.0005, "seed": 42},
        "versions": {"torch": "2.6"},
        "figures": ["training_curves.png"],
    }
    return StageCard(**fields | changes)


def saved(card: StageCard, folder: Path) -> ModelCard:
    card.save(folder)
    return ModelCard.load(folder / "README.md")


def metadata(folder: Path) -> dict[str, Any]:
    """The YAML as anyone reads it, not through huggingface_hub's classes."""
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


# -- metadata ---------------------------------------------------------------------------------------------------------


def test_metadata_survives_a_trip_through_the_file(tmp_path: Path) -> None:
    data = saved(card(), tmp_path).data
    assert data.base_model == "org/encoder"
    assert data.datasets == ["org/posts"]
    assert data.library_name == "transformers"
    assert data.pipeline_tag == "text-classification"
    assert data.license == "apache-2.0"
    found = {result.metric_type: result for result in data.eval_results}
    assert {name: result.metric_value for name, result in found.items()} == {
        "jaccard": 0.6123,
        "micro_f1": 0.7,
        "macro_f1": 0.5556,
    }
    assert found["jaccard"].metric_name == "Jaccard accuracy"
    assert found["jaccard"].dataset_split == "dev"
    assert found["jaccard"].dataset_type == "org/posts"
    assert found["jaccard"].task_type == "text-classification"


def test_local_names_are_left_out(tmp_path: Path) -> None:
    local = CardDataset("my posts", None, "not stated", "", {"train": 5})
    saved(card(base_model=None, encoder="my-encoder", datasets=[local]), tmp_path)
    data = metadata(tmp_path)
    assert "base_model" not in data and "datasets" not in data
    (index,) = data["model-index"]
    assert index["results"][0]["dataset"]["name"] == "my posts"


def test_card_without_results_or_classifier(tmp_path: Path) -> None:
    loaded = saved(card(kind="siamese", labels=[], results={"metrics": {"loss": 0.1, "pair_auc": 0.8}}), tmp_path)
    assert loaded.data.pipeline_tag == "feature-extraction"
    assert [result.metric_type for result in loaded.data.eval_results] == ["pair_auc"]
    assert "threshold" not in loaded.text
    assert "| AUC of pairs | 0.8000 |" in loaded.text
    assert "## Labels" not in loaded.text


@pytest.mark.parametrize("stage", STAGES.values())
def test_cards_of_a_run(output_dir: Path, stage: str) -> None:
    folder = output_dir / stage
    data, results = metadata(folder), tiny_run.read_json(folder / "eval_results.json")
    assert "base_model" not in data and "datasets" not in data
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert str(output_dir.parent) not in text
    for result in ModelCard.load(folder / "README.md").data.eval_results:
        assert result.metric_value == pytest.approx(results["metrics"][result.metric_type], abs=5e-5)
        assert result.dataset_name == "posts"
    names = {"siamese": {"pair_auc"}}.get(stage, {"jaccard", "micro_f1", "macro_f1"})
    (index,) = data["model-index"]
    assert {metric["type"] for result in index["results"] for metric in result["metrics"]} == names


# -- text -------------------------------------------------------------------------------------------------------------


def tables(text: str) -> list[list[list[str]]]:
    """The cells of every table."""
    blocks = re.findall(r"(?:^\|.*\|[ ]*\n)+", text + "\n", flags=re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in block.splitlines()] for block in blocks
    ]


def test_tables(tmp_path: Path) -> None:
    found = tables(saved(card(), tmp_path).text)
    for table in found:
        assert len({len(row) for row in table}) == 1, table
        assert set(table[1]) == {"---"}
    labels, metrics, shuffled, datasets = found
    assert labels[0] == ["label", "precision", "recall", "F1", "texts", "threshold"]
    assert labels[2] == ["anger", "0.250", "0.750", "0.375", "8", "0.250"]
    assert labels[3] == ["joy: a 'yes'", "0.250", "0.750", "0.500", "8", "0.625"]
    assert metrics[0] == ["metric", "dev", "dev at threshold 0.5"]
    assert metrics[2] == ["Jaccard accuracy", "0.6123", "0.6023"]
    assert shuffled[0][:2] == ["shuffled half", "Jaccard accuracy"]
    assert [row[2] for row in shuffled[2:]] == ["0.1000", "0.6500"]
    assert datasets[2] == ["posts", "80 train, 15 dev", "cc-by-4.0"]


def test_text_says_where_the_model_comes_from(tmp_path: Path) -> None:
    text = saved(card(), tmp_path).text
    assert "its emotion encoder comes from the stage `emotion-encoder`" in text
    assert "Stage `csr`, on the encoder org/encoder." in text
    assert "learning_rate: 0.0005" in text
    assert "torch 2.6" in text
    assert "@misc{posts," in text and "chouragade" in text
    assert "](training_curves.png)" in text
    # A tuned threshold and one seed flatter, and the card says so.
    assert "One seed." in text and "flatters" in text
    assert "{{" not in text and "{%" not in text


def test_text_of_a_fixed_threshold(tmp_path: Path) -> None:
    results = {name: value for name, value in card().results.items() if name in ("metrics", "per_label")}
    text = saved(card(results=results), tmp_path).text
    assert "threshold" not in text
    assert "shuffled" not in text
    assert len(tables(text)) == 3


# -- the code in it ---------------------------------------------------------------------------------------------------


def test_snippets_run_as_they_stand(output_dir: Path, tmp_path: Path, fresh_python: Callable[..., str]) -> None:
    """In the folder that holds the model's, in a process that knows nothing of this project."""
    files = []
    for stage in STAGES.values():
        (code,) = re.findall(r"```python\n(.*?)```", (output_dir / stage / "README.md").read_text("utf-8"), re.DOTALL)
        assert f'"{stage}"' in code
        files.append(tmp_path / stage)
        files[-1].write_text(code, encoding="utf-8")
    printed = fresh_python(RUN_SNIPPETS, output_dir, *files)
    # Without trust_remote_code, transformers would ask on the terminal.
    assert "contains custom code" not in printed
    multitask, siamese, csr = re.split(r"# .*\n", printed)[1:]
    for answer in (multitask, csr):
        assert set(re.findall(r"'label': '(\w+)'", answer)) == set(tiny_run.EMOTIONS)
    assert float(re.search(r"[\d.]+", siamese)[0]) > 0


# -- figures ----------------------------------------------------------------------------------------------------------


def test_training_curves(tmp_path: Path) -> None:
    log = [
        {"loss": 1.0, "emotion_loss": 0.6, "epoch": 1.0, "step": 10},
        {"eval_loss": 0.9, "epoch": 1.0, "step": 10},
        {"loss": 0.5, "emotion_loss": 0.3, "epoch": 2.0, "step": 20},
        {"train_loss": 0.75, "epoch": 2.0, "step": 20},
    ]
    plot_training_curves(log, tmp_path / "curves.png")
    plot_training_curves([], tmp_path / "nothing.png")
    full, empty = imread(tmp_path / "curves.png"), imread(tmp_path / "nothing.png")
    assert full.shape == empty.shape
    # Drawn lines and a legend: more pixels that are not white.
    assert (full[..., :3] < 0.9).any(axis=2).sum() > (empty[..., :3] < 0.9).any(axis=2).sum() + 500
