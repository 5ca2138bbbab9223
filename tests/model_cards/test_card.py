"""The card of a stage: what the Hub reads, what people read, and the code in it."""

import ast
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from matplotlib.image import imread

from model_cards import StageCard, plot_training_curves
from model_cards.card import EXAMPLE_TEXTS, CardDataset
from tests.helpers import tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.runs.cards import notable_hyperparameters, write_card
from trainers.runs.runner import Runner

# One of every kind: several labels a text or one, no labels, and a common space without and with a classifier.
STAGES = ("emotion-encoder", "sentiment-encoder", "siamese", "csr-reconstruction", "csr")
LABELS = {"emotion-encoder": tiny_run.EMOTIONS, "sentiment-encoder": tiny_run.SENTIMENTS, "csr": tiny_run.EMOTIONS}
RUN_SNIPPETS = """
import os, sys
os.chdir(sys.argv[1])
for snippet in sys.argv[2:]:
    print("#", os.path.basename(snippet), flush=True)
    names = {}
    exec(open(snippet).read(), names)
    if "Trainer" in names:
        print(names["model"].config.problem_type, names["targets"])
"""


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose encoder and data are known by paths of this machine alone."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    tiny_run.example("run_csr").main(
        tiny_run.options(
            place,
            place / "out",
            recipe=["model-3.3", "model-3.2"],
            threshold="per_label",
            num_train_epochs=3,
            eval_strategy="epoch",
        )
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
        "base_models": ["org/csr-emotion-encoder", "org/csr-sentiment-encoder"],
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
        "figures": {"space.png": "The dev texts in space", "training_curves.png": "Losses"},
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
    assert data.base_model == ["org/csr-emotion-encoder", "org/csr-sentiment-encoder"]
    assert data.base_model_relation == "finetune"
    assert data.tags == ["emotion", "csr-emotion"]
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
    saved(card(base_models=[], encoder="my-encoder", datasets=[local]), tmp_path)
    data = metadata(tmp_path)
    assert not data.keys() & {"base_model", "base_model_relation", "datasets"}
    (index,) = data["model-index"]
    # Where an id should stand, the Hub takes only what could be one.
    assert index["results"][0]["dataset"] == {"name": "my posts", "type": "my-posts", "split": "dev"}


def test_widget_and_emissions(tmp_path: Path) -> None:
    examples = [
        {"text": "A 🎉", "output": [{"label": "joy: a 'yes'", "score": 0.75}, {"label": "anger", "score": 0.1}]}
    ]
    loaded = saved(card(results={**card().results, "examples": examples, "emissions_kg": 0.00123456}), tmp_path)
    data = metadata(tmp_path)
    assert data["widget"] == examples
    # The Hub wants grams.
    assert data["co2_eq_emissions"] == {"emissions": 1.235, "source": "codecarbon", "training_type": "fine-tuning"}
    assert "about 1.23 g of CO2" in loaded.text
    assert "co2_eq_emissions" not in card().data().to_dict() and "widget" not in card().data().to_dict()
    assert "CO2" not in card().render().text


def test_metadata_alone_are_those_of_the_whole_card() -> None:
    assert card().metadata().data.to_dict() == card().render().data.to_dict()


def test_card_of_a_checkpoint(tmp_path: Path) -> None:
    """Before there are results."""
    loaded = saved(card(results={"metrics": {}}), tmp_path)
    assert "model-index" not in metadata(tmp_path)
    assert loaded.data.pipeline_tag == "text-classification"
    assert "the training is not finished" in loaded.text and "One seed" not in loaded.text
    assert len(tables(loaded.text)) == 1
    assert "not finished" not in card().render().text


def test_card_without_results_or_classifier(tmp_path: Path) -> None:
    loaded = saved(card(kind="siamese", labels=[], results={"metrics": {"loss": 0.1, "pair_auc": 0.8}}), tmp_path)
    assert loaded.data.pipeline_tag == "feature-extraction"
    assert [result.metric_type for result in loaded.data.eval_results] == ["pair_auc"]
    assert "threshold" not in loaded.text
    assert "| AUC of pairs | 0.8000 |" in loaded.text
    assert "## Labels" not in loaded.text


@pytest.mark.parametrize("stage", STAGES)
def test_cards_of_a_run(output_dir: Path, stage: str) -> None:
    folder = output_dir / stage
    data, results = metadata(folder), tiny_run.read_json(folder / "eval_results.json")
    assert "base_model" not in data and "datasets" not in data
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert str(output_dir.parent) not in text
    # People's texts may not be ours to publish.
    assert not any(row["text"] in text for row in tiny_run.emotion_rows(80, seed=1))
    for result in ModelCard.load(folder / "README.md").data.eval_results or ():
        assert result.metric_value == pytest.approx(results["metrics"][result.metric_type], abs=5e-5)
        assert result.dataset_name == ("reviews" if stage == "sentiment-encoder" else "posts")
    assert [example["text"] for example in data.get("widget", [])] == [*(EXAMPLE_TEXTS if stage in LABELS else ())]
    for example in data.get("widget", []):
        scores = {answer["label"]: answer["score"] for answer in example["output"]}
        assert scores.keys() == LABELS[stage].keys()
        assert list(scores.values()) == sorted(scores.values(), reverse=True)
        if stage == "sentiment-encoder":
            assert sum(scores.values()) == pytest.approx(1, abs=1e-3)
    for figure in re.findall(r"!\[.+\]\((.+)\)", text):
        assert (folder / figure).exists()
    assert len(re.findall(r"!\[", text)) == (4 if stage in LABELS else 3)
    if stage == "csr-reconstruction":
        assert "model-index" not in data
        return
    names = {"siamese": {"pair_auc"}, "sentiment-encoder": {"accuracy", "macro_f1", "micro_f1", "weighted_f1"}}.get(
        stage, {"jaccard", "micro_f1", "macro_f1"}
    )
    (index,) = data["model-index"]
    assert {metric["type"] for result in index["results"] for metric in result["metrics"]} == names


def test_own_texts_are_shown_on_request(output_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(output_dir, tmp_path / "out")
    place = output_dir.parent
    changes = {"recipe": ["model-3.3"], "threshold": "per_label", "num_train_epochs": 3, "eval_strategy": "epoch"}
    argv = tiny_run.options(place, tmp_path / "out", card_examples=True, **changes)
    runner = Runner(parse_run_arguments(argv))
    write_card(runner.stages[0], runner.prepared)
    labels, *_ = tables((tmp_path / "out" / "emotion-encoder" / "README.md").read_text(encoding="utf-8"))
    assert labels[0][-1] == "example"
    rows = tiny_run.emotion_rows(80, seed=1)
    for label, *_, example in labels[1:]:
        alone = [row["text"] for row in rows if [row[name] for name in tiny_run.EMOTIONS].count(1) == row[label] == 1]
        assert example in alone and len(example) == min(map(len, alone))


# -- text -------------------------------------------------------------------------------------------------------------


def tables(text: str) -> list[list[list[str]]]:
    """The cells of every table, as they are shown."""
    found: list[list[list[str]]] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for token, content in pairwise(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open"):
            found[-1][-1].append("".join(child.content for child in content.children or ()))
    return found


def test_tables(tmp_path: Path) -> None:
    found = tables(saved(card(), tmp_path).text)
    labels, metrics, shuffled, datasets = found
    assert labels[0] == ["label", "precision", "recall", "F1", "texts", "threshold"]
    assert labels[1] == ["anger", "0.250", "0.750", "0.375", "8", "0.250"]
    assert labels[2] == ["joy: a 'yes'", "0.250", "0.750", "0.500", "8", "0.625"]
    assert metrics[0] == ["metric", "dev", "dev at threshold 0.5"]
    assert metrics[1] == ["Jaccard accuracy", "0.6123", "0.6023"]
    assert shuffled[0][:2] == ["shuffled half", "Jaccard accuracy"]
    assert [row[2] for row in shuffled[1:]] == ["0.1000", "0.6500"]
    assert datasets[1] == ["posts", "80 train, 15 dev", "cc-by-4.0"]


def test_table_of_labels_shows_examples(tmp_path: Path) -> None:
    labels = tables(saved(card(examples={"anger": "go\naway | now"}), tmp_path).text)[0]
    # Of a label without a text there is nothing to show.
    assert [row[-1] for row in labels] == ["example", "go away | now", "–"]


def test_table_of_metrics_compares(tmp_path: Path) -> None:
    seeds = [{"jaccard": 0.71234, "micro_f1": 0.7}, {"jaccard": 0.66234}]
    text = saved(card(baseline={"jaccard": 0.5, "accuracy": 0.9}, other_seeds=seeds), tmp_path).text
    metrics = tables(text)[1]
    assert metrics[0] == ["metric", "dev", "dev at threshold 0.5", "plain encoder", "mean ± std, 3 seeds"]
    by_name = {row[0]: row[3:] for row in metrics[1:]}
    # 0.61234, 0.71234, 0.66234: the standard deviation of a sample.
    assert by_name["Jaccard accuracy"] == ["0.5000", "0.6623 ± 0.0500"]
    assert by_name["micro F1"] == ["–", "0.7000 ± 0.0000"]
    assert by_name["macro F1"] == ["–", "–"]
    assert "accuracy" not in by_name
    assert "One seed." not in text


def test_text_of_a_joint_common_space_and_its_teachers(tmp_path: Path) -> None:
    parts = {"emotion_encoder": "a", "source_encoders.0": "b", "source_encoders.1": "c"}
    text = saved(card(joint=True, starts_from=parts, teachers=["bert", "csr"]), tmp_path).text
    assert "an emotion encoder and 2 source encoders" in text
    assert "**Self-trained**" in text and "the stage `bert` is one of its teachers" in text
    assert "its source encoder 1 comes from the stage `c`" in text
    assert "**Self-trained**" not in card(joint=True).render().text


def test_text_says_where_the_model_comes_from(tmp_path: Path) -> None:
    text = saved(card(), tmp_path).text
    assert "its emotion encoder comes from the stage `emotion-encoder`" in text
    assert "Stage `csr`, on the encoder org/encoder." in text
    assert "learning_rate: 0.0005" in text
    assert "torch 2.6" in text
    assert "@misc{posts," in text and "chouragade" in text
    assert "![Losses](training_curves.png)" in text and "![The dev texts in space](space.png)" in text
    assert "stages.png" not in text
    # A tuned threshold and one seed flatter, and the card says so.
    assert "One seed." in text and "flatters" in text
    assert "{{" not in text and "{%" not in text


def test_text_of_a_fixed_threshold(tmp_path: Path) -> None:
    results = {name: value for name, value in card().results.items() if name in ("metrics", "per_label")}
    text = saved(card(results=results), tmp_path).text
    assert "threshold" not in text.split("<!-- end of usage -->")[1]
    assert "shuffled" not in text
    assert len(tables(text)) == 3


# -- the code in it ---------------------------------------------------------------------------------------------------


def test_snippets_run_as_they_stand(output_dir: Path, tmp_path: Path, fresh_python: Callable[..., str]) -> None:
    """In the folder that holds the model's, in a process that knows nothing of this project."""
    files = []
    for stage in STAGES:
        snippets = re.findall(r"```python\n(.*?)```", (output_dir / stage / "README.md").read_text("utf-8"), re.DOTALL)
        # The pipeline, the vector, and further training; or the vector alone.
        assert len(snippets) == (3 if stage in LABELS else 1)
        for number, code in enumerate(snippets):
            assert f'"{stage}"' in code
            files.append(tmp_path / f"{stage} {number}")
            files[-1].write_text(code, encoding="utf-8")
    printed = fresh_python(RUN_SNIPPETS, output_dir, *files)
    # Without trust_remote_code, transformers would ask on the terminal.
    assert "contains custom code" not in printed
    answers = dict(zip((file.name for file in files), re.split(r"# .*\n", printed)[1:], strict=True))
    for stage, labels in LABELS.items():
        found = ast.literal_eval(answers[f"{stage} 0"])
        config = tiny_run.read_json(output_dir / stage / "config.json")
        thresholds = config.get("thresholds") or [0] * len(labels)
        expected = [list(labels).index(entry["label"]) for entry in found]
        assert all(entry["score"] >= thresholds[index] for entry, index in zip(found, expected, strict=True))
        assert len(found) == 1 or stage != "sentiment-encoder"
        assert re.fullmatch(r"torch.Size\(\[1, \d+\]\)\n", answers[f"{stage} 1"])
        assert "'train_loss'" in answers[f"{stage} 2"]
    assert "multi_label_classification [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]" in answers["csr 2"]
    assert "single_label_classification [0, 1]" in answers["sentiment-encoder 2"]
    assert float(re.search(r"[\d.]+", answers["siamese 0"])[0]) > 0
    assert answers["csr-reconstruction 0"].startswith("tensor([[")


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


def test_each_citation_stands_once() -> None:
    cited = [CardDataset("posts", None, "other", citation, {}) for citation in ("@x", "@y", "@x")]
    made = card(datasets=[*cited, CardDataset("d", None, "other", "", {})])
    assert made.citations == ["@x", "@y"]
    assert made.render().text.count("@x") == 1


def test_hyperparameters_are_those_that_are_not_the_defaults_of_transformers() -> None:
    stock = {"adam_beta1": 0.9, "lr_scheduler_type": "linear", "lr_scheduler_kwargs": None}
    # Our own default of the weight decay is another one; the seed is said even where it is the default.
    said = {"weight_decay": 0.01, "max_grad_norm": 0.5, "seed": 42, "learning_rate": 5e-5, "common_dropout": 0.1}
    assert notable_hyperparameters(stock | said | {"weight_averaging": 0.0}) == said
