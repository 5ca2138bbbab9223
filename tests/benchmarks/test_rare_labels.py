"""The comparison of treatments of rare labels: from runs to the table of each label."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import rare_labels
from tests.helpers import tiny_run

pytest.importorskip("nlpaug")

TREATMENTS = ("default", "sqrt", "balanced", "augment")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data in which sadness is rare, and the options of all runs."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    for split, size in (("train", 60), ("dev", 24)):
        rows = tiny_run.emotion_rows(size, seed=len(split))
        kept = [row for number, row in enumerate(rows) if not row["sadness"] or number % 3 == 0]
        tiny_run.write_csv(place / "data" / "posts" / f"{split}.csv", kept)
    (place / "run.yaml").write_text("recipe: [bert]\nthreshold: per_label\n")
    return place


def options(place: Path, **changes: Any) -> list[str]:
    values = {"recipe": None, "sentiment_dataset": None, "config": place / "run.yaml", "num_train_epochs": 3}
    values |= {"data_dir": place / "data", "results_dir": place / "results"}
    return tiny_run.options(place, place / "out", **values | {"seeds": [1, 2], "copies": 40} | changes)


@pytest.fixture(scope="module")
def written(place: Path) -> dict[str, Any]:
    rare_labels.main(options(place))
    return tiny_run.read_json(place / "results" / "rare_labels.json")


def test_scores_and_tests_are_those_of_the_runs(place: Path, written: dict[str, Any]) -> None:
    assert list(written["recipes"]) == list(TREATMENTS) and written["baseline"] == "default"
    found = {
        treatment: [
            tiny_run.read_json(place / "out" / treatment / f"seed-{seed}" / "emotion-encoder" / "eval_results.json")
            for seed in (1, 2)
        ]
        for treatment in TREATMENTS
    }
    for treatment, one in written["recipes"].items():
        assert one["scores"]["macro_f1"] == pytest.approx(
            [results["metrics"]["macro_f1"] for results in found[treatment]], abs=5e-5
        )
        for label in tiny_run.EMOTIONS:
            scores = [results["per_label"][label]["f1"] for results in found[treatment]]
            assert one["labels"][label]["f1"] == pytest.approx(scores, abs=5e-5)
            if treatment == "default":
                assert "test" not in one["labels"][label]
                continue
            test = one["labels"][label]["test"]
            default = [results["per_label"][label]["f1"] for results in found["default"]]
            assert test["difference"] == pytest.approx((sum(scores) - sum(default)) / 2)
            assert test["low"] <= test["difference"] <= test["high"] and test["seeds"] == 2


def test_each_treatment_is_in_its_record(place: Path, written: dict[str, Any]) -> None:
    made_from = {
        treatment: tiny_run.read_json(place / "out" / treatment / "seed-1" / "emotion-encoder" / "stage.json")[
            "made_from"
        ]
        for treatment in TREATMENTS
    }
    weights = {treatment: record.get("class_weights", "none") for treatment, record in made_from.items()}
    assert weights == {"default": "none", "sqrt": "sqrt", "balanced": "balanced", "augment": "none"}
    train = {treatment: record["data"]["emotion"]["train"] for treatment, record in made_from.items()}
    assert train["default"] == train["sqrt"] == train["balanced"] != train["augment"]
    assert {record["threshold"] for record in made_from.values()} == {"per_label"}


def test_table_has_the_rarest_label_first(place: Path, written: dict[str, Any]) -> None:
    text = (place / "results" / "rare_labels.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| label |"))
    header, rows = lines[start], lines[start + 2 : start + 5]
    assert header.count("vs default") == 3 and rows[0].startswith("| sadness |")
    support = [int(row.split("|")[2]) for row in rows]
    assert support == sorted(support) and all(row.count("], p ") == 3 for row in rows)
    assert "not corrected for the number of labels" in text
    assert "- seeds: 1, 2\n" in text and "--copies 40" in text
    assert (place / "results" / "rare_labels.png").is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": ["bert", "label-attention"]}, "in runs of one recipe"),
        ({"emotion_dataset": "moods", "emotion_label_columns": None}, "compared on multi-label data"),
        ({"copies": -1}, "--augment_rare must be at least 0"),
    ],
)
def test_bad_input(place: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    if "emotion_dataset" in changes:
        changes = changes | {"emotion_dataset": place / "data" / changes["emotion_dataset"]}
    argv = [*options(place, **changes), "--output_dir", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=f"rare_labels: error: .*{message}"):
        rare_labels.main(argv)
    assert not (tmp_path / "out").exists()
