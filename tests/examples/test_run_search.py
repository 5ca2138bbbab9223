"""The command of the search: its options, from YAML as well, and its refusals."""

from dataclasses import fields
from pathlib import Path

import pytest

from tests.helpers import tiny_run
from trainers.commands.parser import parse_run_arguments_and
from trainers.experiments.search import SearchArguments

run_search = tiny_run.example("run_search").main
CONFIG = tiny_run.REPOSITORY / "examples" / "configs" / "seven-emotions.yaml"


def test_help_explains_every_option(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        run_search(["--help"])
    assert stop.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for item in fields(SearchArguments):
        assert f"--{item.name} " in text and item.metadata["help"]
    for option in ("--learning_rate", "--emotion_labels", "--augment_rare", "--config"):
        assert f"{option} " in text


def test_options_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "search.yaml"
    path.write_text(CONFIG.read_text(encoding="utf-8") + "n_trials: 7\nsearch_samples: 500\n")
    args, search = parse_run_arguments_and(SearchArguments, ["--config", str(path), "--n_trials", "9"])
    assert (search.n_trials, search.search_samples) == (9, 500)
    assert args.data.emotion_labels == ["admiration", "amusement", "gratitude", "love", "pride", "relief", "remorse"]
    assert args.data.rows_without_labels == "drop" and args.model.recipe == ["bert"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "model-3.3", "n_trials": 2}, "the recipe model-3.3 has several stages"),
        ({"search_space": "nowhere.yaml"}, "--search_space nowhere.yaml does not exist"),
        ({"n_trials": 0}, "--n_trials must be at least 1"),
        ({"emotion_labels": ["hope"]}, "posts has no label hope"),
    ],
)
def test_refusals_come_before_any_training(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    place = tiny_run.workplace(tmp_path)
    options = {"recipe": "bert", "num_train_epochs": 2, "learning_rate": 1e-4, "per_device_train_batch_size": 16}
    with pytest.raises(SystemExit, match=f"csr-emotion search: error: .*{message}"):
        run_search(tiny_run.options(place, tmp_path / "out", **options | changes))
    assert not (tmp_path / "out").exists()
