"""The cards that a run writes, and the code in them."""

import ast
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from model_cards import EXAMPLE_TEXTS
from tests.helpers import tiny_run
from tests.helpers.card_parts import RUN_SNIPPETS, answers, metadata, tables, write_snippets
from trainers.commands.parser import parse_run_arguments
from trainers.runs.cards import write_card
from trainers.runs.runner import Runner

# One of every kind: several labels per text or one, no labels, and a common space without and with a classifier.
STAGES = ("emotion-encoder", "sentiment-encoder", "siamese", "csr-reconstruction", "csr")
LABELS = {"emotion-encoder": tiny_run.EMOTIONS, "sentiment-encoder": tiny_run.SENTIMENTS, "csr": tiny_run.EMOTIONS}


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
            draw_figures=True,
        )
    )
    return place / "out"


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
    write_card(runner.prepared.stages[0], runner.prepared)
    labels, *_ = tables((tmp_path / "out" / "emotion-encoder" / "README.md").read_text(encoding="utf-8"))
    assert labels[0][-1] == "example"
    rows = tiny_run.emotion_rows(80, seed=1)
    for label, *_, example in labels[1:]:
        alone = [row["text"] for row in rows if [row[name] for name in tiny_run.EMOTIONS].count(1) == row[label] == 1]
        assert example in alone and len(example) == min(map(len, alone))


def test_snippets_run_as_they_stand(output_dir: Path, tmp_path: Path, fresh_python: Callable[..., str]) -> None:
    """In the folder that holds the model's, in a process that knows nothing of this project."""
    files = []
    for stage in STAGES:
        snippets = write_snippets(output_dir / stage / "README.md", tmp_path)
        # The pipeline, the embedding, and further training; or the embedding alone.
        assert len(snippets) == (3 if stage in LABELS else 1)
        assert all(f'"{stage}"' in snippet.read_text(encoding="utf-8") for snippet in snippets)
        files += snippets
    printed = fresh_python(RUN_SNIPPETS, output_dir, *files)
    # Without trust_remote_code, transformers would ask on the terminal.
    assert "contains custom code" not in printed
    printed_by = answers(files, printed)
    for stage, labels in LABELS.items():
        found = ast.literal_eval(printed_by[f"{stage} 0"])
        config = tiny_run.read_json(output_dir / stage / "config.json")
        thresholds = config.get("thresholds") or [0] * len(labels)
        expected = [list(labels).index(entry["label"]) for entry in found]
        assert all(entry["score"] >= thresholds[index] for entry, index in zip(found, expected, strict=True))
        assert len(found) == 1 or stage != "sentiment-encoder"
        assert re.fullmatch(r"torch.Size\(\[1, \d+\]\)\n", printed_by[f"{stage} 1"])
        assert "'train_loss'" in printed_by[f"{stage} 2"]
    assert "multi_label_classification [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]" in printed_by["csr 2"]
    assert "single_label_classification [0, 1]" in printed_by["sentiment-encoder 2"]
    assert float(re.search(r"[\d.]+", printed_by["siamese 0"])[0]) > 0
    assert printed_by["csr-reconstruction 0"].startswith("tensor([[")
