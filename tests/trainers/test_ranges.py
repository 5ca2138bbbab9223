"""Numbers out of range are refused before any work, in Python as in commands, by the name of their option."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from tests.helpers import tiny_run
from trainers.commands import parse_run_arguments, run_comparison, run_distillation, run_evaluation
from trainers.csr_trainer import CSRTrainingArguments
from trainers.dialogue_trainer import DialogueTrainingArguments
from trainers.evaluation import embed_texts, predict_logits
from trainers.experiments import SearchArguments
from trainers.runs import DistillationArguments, RecurrentArguments, RunArguments
from trainers.siamese_trainer import SiameseTrainingArguments
from trainers.training_arguments import RANGES, Range

KINDS = [
    *RunArguments.kinds().values(),
    CSRTrainingArguments,
    DialogueTrainingArguments,
    DistillationArguments,
    RecurrentArguments,
    SearchArguments,
    SiameseTrainingArguments,
]
# Numbers that may have any value, or whose range depends on what else is given and is checked there.
FREE = {"label_smoothing_factor", "local_rank", "vocabulary_size"}


def numbers(kind: type) -> list[str]:
    """Options of a kind of arguments that are numbers, or lists of them."""
    types = (int, float, int | None, float | None, list[int] | None)
    return [item.name for item in dataclasses.fields(kind) if item.init and item.type in types]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_number_has_a_range(kind: type) -> None:
    assert {name for name in numbers(kind) if name not in RANGES} <= FREE


@pytest.mark.parametrize(
    ("limits", "inside", "outside"),
    [
        (Range(1, whole=True), [1, 2.0, np.int64(3)], [0, -1, 1.5, math.nan, math.inf]),
        (Range(0, 1, open_low=True), [1e-9, 1], [0, 1.1, math.nan]),
        (Range(0, 1, open_high=True), [0, 0.99], [1, -0.1, -math.inf]),
        (Range(1, whole=True, besides=-1), [-1, 1], [0, -2, -1.5]),
        (Range(high=1, open_high=True), [-1, 0], [1, math.nan]),
    ],
)
def test_range(limits: Range, inside: list[float], outside: list[float]) -> None:
    assert [value for value in (*inside, *outside) if value in limits] == inside


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_python_refuses_what_is_out_of_range(kind: type) -> None:
    needed = {"teacher": "folder"} if kind is DistillationArguments else {}
    for name in set(numbers(kind)) - FREE:
        below = RANGES[name].low if RANGES[name].open_low else RANGES[name].low - 1
        above = RANGES[name].high if RANGES[name].open_high else RANGES[name].high + 1
        for value in (below, above, math.nan):
            with pytest.raises(ValueError, match=rf"^--{name} must be .*, got "):
                kind(**needed, **{name: [value] if name == "shared_layer_sizes" else value})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("per_device_train_batch_size", "0"),
        ("gradient_accumulation_steps", "0"),
        ("learning_rate", "-1"),
        ("learning_rate", "nan"),
        ("seed", "-1"),
        ("num_train_epochs", "0"),
        ("common_learning_rate", "-1e-3"),
        ("siamese_train_batch_size", "-8"),
        ("emotion_train_fraction", "1.5"),
        ("warmup_steps", "-1"),
    ],
)
def test_commands_refuse_what_is_out_of_range(option: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"--{option} must be "):
        parse_run_arguments([f"--{option}={value}"])


@pytest.mark.parametrize(
    ("command", "argv", "message"),
    [
        (run_evaluation, ["--batch_size", "-1"], "--batch_size must be at least 1, got -1"),
        (run_evaluation, ["--batch_size", "0"], "--batch_size must be at least 1, got 0"),
        (run_evaluation, ["--threshold", "5"], "--threshold must be at least 0 and at most 1, got 5"),
        (run_evaluation, ["--threshold", "nan"], "--threshold must be at least 0"),
        (run_evaluation, ["--max_length", "1"], "--max_length must be at least 3, got 1"),
        (run_evaluation, ["--fold", "-1"], "--fold must be at least 0, got -1"),
        (run_distillation, ["--max_unlabelled_samples", "0"], "--max_unlabelled_samples must be at least 1"),
        (run_distillation, ["--per_device_train_batch_size", "0"], "--per_device_train_batch_size must be at least 1"),
        (run_distillation, ["--baseline", "nowhere"], "--baseline nowhere is not the folder of a finished stage"),
        (run_comparison, ["--seeds", "1", "-1"], "--seeds must be at least 0"),
        (run_comparison, ["--seeds", "1", "2", "1"], "--seeds 1 2 1: give each seed once"),
    ],
)
def test_other_commands(command: Callable[[list[str]], Any], argv: list[str], message: str) -> None:
    first = {run_evaluation: ["nowhere", "--dataset", "nothing"], run_distillation: ["--teacher", "nowhere"]}
    with pytest.raises(SystemExit, match=message):
        command([*first.get(command, []), *argv])


@pytest.mark.parametrize("function", [predict_logits, embed_texts])
@pytest.mark.parametrize("options", [{"batch_size": -1}, {"batch_size": 0}, {"max_length": 0}])
def test_no_scores_of_uninitialised_memory(
    tmp_path: Path, function: Callable[..., Any], options: dict[str, int]
) -> None:
    encoder = tiny_run.write_encoder(tmp_path / "encoder")
    model, tokenizer = (
        AutoModelForSequenceClassification.from_pretrained(encoder),
        AutoTokenizer.from_pretrained(encoder),
    )
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be at least 1"):
        function(model, tokenizer, ["the day"], **options)


# -- places and reporters ----------------------------------------------------------------------------------------------


def test_reporter_that_is_not_installed_is_named(tmp_path: Path) -> None:
    argv = ["--report_to", "nothing-like-it", "--output_dir", str(tmp_path / "out")]
    told = tiny_run.refusal(tiny_run.example("run_csr"), argv)
    assert "--report_to nothing-like-it: not installed, or not a tracker that transformers knows" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["output_dir", "cache_dir"])
def test_place_below_a_file_is_refused(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("x")
    argv = {"output_dir": tmp_path / "out", option: tmp_path / "file" / "deep" / "out"}
    told = tiny_run.refusal(tiny_run.example("run_csr"), [f"--{name}={value}" for name, value in argv.items()])
    assert f"--{option} {tmp_path}/file/deep/out: {tmp_path}/file is a file, not a folder" in told
    assert not (tmp_path / "out").exists()


def test_file_in_place_of_a_stage_is_refused(tmp_path: Path) -> None:
    place = tiny_run.workplace(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "emotion-encoder").write_text("x")
    told = tiny_run.refusal(tiny_run.example("run_csr"), tiny_run.options(place, tmp_path / "out", recipe="bert"))
    assert "out/emotion-encoder is a file, not a folder" in told


@pytest.mark.parametrize(("name", "message"), [("none/scores.json", "there is no folder"), ("", "is a folder")])
def test_output_file_that_cannot_be_written_is_refused_first(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(SystemExit, match=f"--output_file .*{message}"):
        run_evaluation(["nowhere", "--dataset", "nothing", "--output_file", str(tmp_path / name)])
