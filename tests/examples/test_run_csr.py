"""The command: its options and its launchers."""

import contextlib
import io
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers import fresh_process, tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.recipes import LIBRARY
from trainers.runs.arguments import CommonSpaceArguments, SiameseArguments
from trainers.runs.data_arguments import DataArguments
from trainers.runs.model_arguments import ModelArguments
from trainers.training_arguments import StageTrainingArguments

run_csr = tiny_run.example("run_csr").main


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


# -- options ----------------------------------------------------------------------------------------------------------


def test_help_explains_every_option(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        run_csr(["--help"])
    assert stop.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for kind in (DataArguments, ModelArguments, SiameseArguments, CommonSpaceArguments, StageTrainingArguments):
        for item in fields(kind):
            assert f"--{item.name} " in text
            if item.name in kind.__annotations__:  # not one of transformers' own
                assert item.metadata.get("help"), item.name
    assert "--config " in text
    for recipe in LIBRARY:
        assert recipe in text.replace("- ", "-")  # a long name may be broken at its hyphens


def test_yaml_gives_defaults_and_the_command_line_wins(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(
        "recipe: [bert, model-3.3]\n"
        "encoder: from-yaml\n"
        "learning_rate: 1e-3\n"  # a string for PyYAML
        "seed: 7\n"
        "emotion_label_columns: [anger, joy]\n"
        "common_size: 12\n"
        "use_cpu: true\n"
        "eval_strategy: 'no'\n"
        "output_dir: from-yaml\n"
        "data_dir:\n"
    )
    for config in (["--config", str(path)], [f"--config={path}"]):
        args = parse_run_arguments(["--seed", "8", *config, "--recipe", "model-1", "--output_dir=here"])
        assert args.model.recipe == ["model-1"]
        assert args.model.encoder == "from-yaml"
        assert args.data.emotion_label_columns == ["anger", "joy"]
        assert args.data.data_dir is None
        assert args.common.common_size == 12
        assert args.training.learning_rate == 1e-3
        assert args.training.seed == 8
        assert args.training.use_cpu is True
        assert args.training.eval_strategy == "no"
        assert args.training.output_dir == "here"


@pytest.mark.parametrize("path", sorted((tiny_run.REPOSITORY / "examples" / "configs").glob("*.yaml")), ids=str)
def test_configs_that_come_with_the_repository(path: Path) -> None:
    args = parse_run_arguments(["--config", str(path)])
    options = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert args.model.recipe == options["recipe"]
    assert args.training.output_dir == options["output_dir"]
    assert args.training.learning_rate == float(options["learning_rate"])


def test_defaults_are_the_papers(tmp_path: Path) -> None:
    args = parse_run_arguments(["--output_dir", str(tmp_path)])
    assert args.model.recipe == ["model-3.3"]
    assert args.model.threshold == "fixed"
    assert args.siamese.siamese_pairs == "random"
    assert args.siamese.siamese_loss == "regression"
    assert args.common.prediction_loss_weight == args.common.reconstruction_loss_weight == 1
    assert args.training.seed == 42


# -- launchers --------------------------------------------------------------------------------------------------------

ACCELERATE = "accelerate.commands.launch --num_processes 1 --num_machines 1 --mixed_precision no --dynamo_backend no"
TORCHRUN = "torch.distributed.run --standalone --nproc_per_node 2"
# model-2 too: its batches may lack a task in one of the processes.
LAUNCHED: dict[str, Any] = {
    "recipe": ["model-2", "model-3.3"],
    "num_train_epochs": 2,
    "common_num_train_epochs": 2,
    "threshold": "global",
    # No two processes draw the same dropout masks as one does.
    "classifier_dropout": 0,
    "common_dropout": 0,
}
HALVES = {"per_device_train_batch_size": 4, "siamese_train_batch_size": 16, "common_train_batch_size": 4}


@pytest.fixture(scope="module")
def in_process(place: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A run in this process: its folder, the recipes of its `results.json`, and what it printed."""
    output_dir, printed = tmp_path_factory.mktemp("in-process") / "out", io.StringIO()
    with contextlib.redirect_stdout(printed):
        run_csr(tiny_run.options(place, output_dir, **LAUNCHED))
    return output_dir, tiny_run.read_json(output_dir / "results.json")["recipes"], printed.getvalue()


def test_command_ends_with_a_table_and_says_how_to_use_the_model(
    in_process: tuple[Path, dict[str, Any], str],
) -> None:
    output_dir, recipes, printed = in_process
    table, usage = printed.split("The model is in ")
    table = table[table.index("Dev results") :]
    for recipe in LAUNCHED["recipe"]:
        row = next(line for line in table.splitlines() if f" {recipe} " in line)
        for name in ("jaccard", "micro_f1", "macro_f1"):
            assert f" {100 * recipes[recipe]['metrics'][name]:.1f} " in row
        for stage in recipes[recipe]["stages"]:
            assert f" {stage} " in table
    assert "pair auc" in table
    assert usage.startswith(f"{output_dir / 'csr'}.")
    assert f'model="{output_dir / "csr"}", trust_remote_code=True)' in usage


@pytest.mark.parametrize(
    ("launcher", "changes"),
    [(f"-m {ACCELERATE}", {}), (f"-m {TORCHRUN}", HALVES)],
    ids=["accelerate", "torchrun-2"],
)
def test_launchers_give_the_same_results(
    place: Path,
    in_process: tuple[Path, dict[str, Any], str],
    tmp_path: Path,
    launcher: str,
    changes: dict[str, int],
) -> None:
    script = tiny_run.REPOSITORY / "examples" / "run_csr.py"
    # From another folder, with a relative output folder.
    options = tiny_run.options(place, "out", **LAUNCHED | changes)
    result = fresh_process.run(*launcher.split(), script, *options, env=tiny_run.environment(), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    # The main process alone speaks.
    assert result.stdout.count("Dev results") == 1
    assert result.stderr.count("Stage 1 of 5: multitask") == 1
    expected_recipes = in_process[1]
    recipes = tiny_run.read_json(tmp_path / "out" / "results.json")["recipes"]
    assert list(recipes) == list(expected_recipes)
    for recipe, figures in recipes.items():
        for stage, scores in figures["stages"].items():
            expected = expected_recipes[recipe]["stages"][stage]["metrics"]
            # In several processes the Trainer's dev loss counts the rows twice that fill the last batch up.
            loss, expected_loss = scores["metrics"].pop("loss", 0), expected.get("loss", 0)
            assert loss == pytest.approx(expected_loss, rel=0.05 if changes else 1e-5), stage
            others = {name: value for name, value in expected.items() if name != "loss"}
            assert scores["metrics"] == pytest.approx(others, abs=1e-4), stage
    assert not list((tmp_path / "out").rglob("*.unfinished"))
    assert not list((tmp_path / "out").rglob("checkpoint-*"))
