"""The benchmark of few labels: what is drawn, what is compared, and a small run of it from files to tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from benchmarks import few_labels
from benchmarks.few_label_report import Unit, paired_tests, scores_of
from benchmarks.few_label_systems import SYSTEMS, Systems, source_stages
from benchmarks.few_label_targets import EKMAN, SOURCES, TARGETS, Target, in_seven, load_target
from benchmarks.label_draws import draw_texts
from tests.helpers import tiny_run
from trainers.data import TaskDataset
from trainers.data.readers import GOEMOTIONS

MULTI = "multi_label_classification"


def dataset(targets: np.ndarray, labels: list[str], problem_type: str = MULTI) -> TaskDataset:
    rows = Dataset.from_dict({"text": [f"text {row}" for row in range(len(targets))], "labels": targets.tolist()})
    return TaskDataset("invented", labels, problem_type, DatasetDict(train=rows, dev=rows), None)


def test_draws_have_so_many_texts_per_label_and_are_nested() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 5, size=300)
    classes[:3] = 5  # a rare one
    small, large = (draw_texts(classes, size, seed=1) for size in (8, 16))
    assert np.bincount(classes[small]).tolist() == [8] * 5 + [3] and set(small) < set(large)
    assert set(small) != set(draw_texts(classes, 8, seed=2))
    several = (rng.random((300, 4)) < [0.5, 0.3, 0.1, 0.01]).astype(float)
    small, large = (draw_texts(several, size, seed=1) for size in (8, 16))
    counts = several[small].sum(axis=0)
    assert (counts[:3] >= 8).all() and counts[3] == several[:, 3].sum() and set(small) < set(large)
    # Nothing is drawn that no label needed.
    assert len(small) <= 8 * 3 + counts[3]


def test_draws_in_all_have_the_shares_of_the_whole() -> None:
    classes = np.repeat([0, 1, 2], [600, 300, 100])
    rows = draw_texts(classes, 200, seed=3)
    assert np.bincount(classes[rows]).tolist() == pytest.approx([120, 60, 20], abs=1)


def test_seven_labels_hold_each_of_goemotions_once() -> None:
    assert sorted(label for members in EKMAN.values() for label in members) == sorted(GOEMOTIONS)
    targets = np.zeros((2, len(GOEMOTIONS)))
    targets[0, [GOEMOTIONS.index("annoyance"), GOEMOTIONS.index("disapproval"), GOEMOTIONS.index("pride")]] = 1
    found = in_seven(dataset(targets, list(GOEMOTIONS)))
    given = found.targets("dev").astype(bool)
    assert np.array(found.labels)[given[0]].tolist() == ["anger", "joy"] and not given[1].any()


def test_no_target_is_its_own_source() -> None:
    assert SOURCES.keys() == set(TARGETS)
    assert all(not target.startswith(source) for target, source in SOURCES.items())


def test_claims_are_tested_on_the_draws_that_both_have() -> None:
    gold = np.tile([0, 1], 20)
    target = Target(dataset(gold, ["no", "yes"], "single_label_classification"), [str(row) for row in range(40)])
    half = np.where(np.arange(40) < 20, gold, 0)

    def unit(system: str, draw: int, decisions: np.ndarray) -> Unit:
        return Unit("isear", system, 8, draw, 16, 1.0, 90.0, decisions)

    # Of 40 texts, 30 get class 0 (20 of these are of it) and 10 get class 1: F1 40 / 50 and 20 / 30.
    found = scores_of(unit("vectors", 0, half), target)
    assert found == pytest.approx({"accuracy": 0.75, "macro_f1": (0.8 + 2 / 3) / 2})
    by_place = {
        ("isear", "few-labels", 8): [unit("few-labels", draw, gold) for draw in (0, 1, 2)],
        ("isear", "vectors", 8): [unit("vectors", draw, half) for draw in (1, 2, 3)],
    }
    ((place, baseline), test), *others = paired_tests(by_place, {"isear": target}).items()
    assert (place[1], baseline, test.seeds, others) == ("few-labels", "vectors", 2, [])
    assert test.difference == pytest.approx(1 - (0.8 + 2 / 3) / 2) and test.paired_seeds


def test_setfit_needs_a_python_that_has_it(tmp_path: Path) -> None:
    write_targets(tmp_path)
    encoder = tiny_run.write_encoder(tmp_path / "encoder", max_position_embeddings=128)
    argv = ["--data_dir", str(tmp_path), "--encoder", str(encoder), "--targets", "dair-emotion", "--systems", "setfit"]
    assert "name the Python that has it in --setfit_python" in tiny_run.refusal(few_labels, argv)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run on tiny data, with its options."""
    folder = tmp_path_factory.mktemp("few_labels")
    write_targets(folder)
    encoder = tiny_run.write_encoder(folder / "encoder", max_position_embeddings=128)
    argv = ["--data_dir", str(folder), "--encoder", str(encoder), "--targets", "dair-emotion", "--sizes", "1"]
    argv += ["--draws", "1", "--systems", "vectors", "space-encoder-vectors", "joined-vectors", "few-labels"]
    argv += ["beside-pretrained"]
    argv += ["--output_dir", str(folder / "out"), "--results_dir", str(folder / "results")]
    few_labels.main(argv)
    return folder, argv


def test_a_run_ends_in_tables(finished: tuple[Path, list[str]]) -> None:
    folder = finished[0]
    results = tiny_run.read_json(folder / "results" / "few_labels.json")
    assert [(one["system"], one["texts"]) for one in results["scores"]] == [
        ("beside-pretrained", [6]),
        ("few-labels", [6]),
        ("joined-vectors", [6]),
        ("space-encoder-vectors", [6]),
        ("vectors", [6]),
    ]
    assert {(one["system"], one["baseline"]) for one in results["tests"]} == {
        ("beside-pretrained", "few-labels"),
        ("beside-pretrained", "vectors"),
        ("few-labels", "vectors"),
        ("joined-vectors", "vectors"),
        ("space-encoder-vectors", "vectors"),
    }
    assert all(one["p_holm"] >= one["p_bootstrap"] for one in results["tests"])
    assert not list((folder / "out" / "runs").rglob("*.safetensors"))  # what is scored is not kept


def test_joined_vectors_are_those_of_both_encoders_side_by_side(finished: tuple[Path, list[str]]) -> None:
    folder = finished[0]
    target = load_target("dair-emotion", str(folder), 100)
    source = folder / "out" / "source" / "goemotions"
    systems = Systems(target, "dair-emotion", folder / "out", str(folder / "encoder"), [], source, None, 1)
    first, second = (systems._embedded(system) for system in ("vectors", "space-encoder-vectors"))
    train, dev, seconds = systems._embedded("joined-vectors")
    assert train.shape == (48, 32) and dev.shape == (12, 32)
    np.testing.assert_array_equal(train, np.hstack([first[0], second[0]]))
    np.testing.assert_array_equal(dev, np.hstack([first[1], second[1]]))
    assert not np.array_equal(first[0], second[0]) and seconds == first[2] + second[2]


def test_a_repeated_run_does_nothing_again_and_other_texts_are_refused(
    finished: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, argv = finished

    def fail(*args: Any) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(few_labels.Systems, "run", fail)
    before = (folder / "results" / "few_labels.json").read_text(encoding="utf-8")
    for further in ([], ["--tables_only"]):
        few_labels.main([*argv, *further])
        assert (folder / "results" / "few_labels.json").read_text(encoding="utf-8") == before
    with pytest.raises(ValueError, match="of other texts or options: choose another --output_dir"):
        few_labels.main([*argv, "--pool", "20"])


def write_targets(folder: Path) -> None:
    """Invented texts in the formats of dair-emotion and GoEmotions."""
    for place in ("emotion_dair", "goemotions"):
        (folder / place).mkdir()
    names = ("anger", "fear", "joy", "love", "sadness", "surprise")
    for split, number in (("train", 8), ("val", 2)):
        rows = [f"the {name} of {split} {row};{name}\n" for name in names for row in range(number)]
        (folder / "emotion_dair" / f"{split}.txt").write_text("".join(rows), encoding="utf-8")
    for split in ("train", "dev"):
        rows = [f"the {name} of {split}\t{label}\t{split}{label}\n" for label, name in enumerate(GOEMOTIONS)]
        (folder / "goemotions" / f"{split}.tsv").write_text("".join(rows), encoding="utf-8")


def test_systems_take_from_their_source_what_they_start_from() -> None:
    taken = {system: [stage.name for stage in source_stages([system])] for system in SYSTEMS}
    assert taken["vectors"] == taken["setfit"] == taken["bert-head-rate"] == taken["pairs-first"] == []
    assert taken["few-labels"] == taken["related-space-vectors"] == taken["space-encoder-vectors"] == ["related-space"]
    assert taken["joined-vectors"] == ["related-space"]
    assert taken["bert-from-related"] == taken["related-encoder-vectors"] == ["related-encoder"]
    assert taken["joined-related-vectors"] == taken["beside-pretrained"] == ["related-encoder"]
    assert taken["pairs-first-from-related"] == ["related-encoder"]
    assert sorted(taken["model-3.4"]) == ["related-encoder", "related-space"]
