"""The search space: what YAML may say, what is drawn from it, and how a run takes it up."""

from pathlib import Path
from typing import Any

import optuna
import pytest

from trainers.commands.parser import parse_run_arguments
from trainers.experiments.search_space import DEFAULT_SPACE, Parameter, own_value, read_space, with_options
from trainers.runs.arguments import RunArguments


def arguments(*options: str) -> RunArguments:
    return parse_run_arguments(["--recipe", "bert", *options])


def read(tmp_path: Path, text: str, *options: str) -> list[Parameter]:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    return read_space(str(path), arguments(*options))


def test_ranges_and_choices(tmp_path: Path) -> None:
    assert read(
        tmp_path,
        "learning_rate: {low: 1e-5, high: 1e-3, log: true}\n"  # PyYAML reads both as text
        "num_train_epochs: {low: 2, high: 6}\n"
        "weight_decay: [0, 1e-2]\n"
        "recipe: [bert, label-attention]\n",
    ) == [
        Parameter("learning_rate", low=1e-5, high=1e-3, log=True),
        Parameter("num_train_epochs", low=2, high=6, whole=True),
        Parameter("weight_decay", choices=(0, 0.01)),
        Parameter("recipe", choices=("bert", "label-attention")),
    ]


def test_the_default_space_holds_the_default_settings() -> None:
    space = read_space(None, arguments())
    assert [parameter.name for parameter in space] == list(DEFAULT_SPACE)
    assert all(parameter.holds(own_value(arguments(), parameter.name)) for parameter in space)


def test_what_is_drawn_lies_in_the_space() -> None:
    space = read_space(None, arguments())
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = []
    for _ in range(30):
        trial = study.ask()
        values = {parameter.name: parameter.suggest(trial) for parameter in space}
        assert all(parameter.holds(values[parameter.name]) for parameter in space)
        drawn.append(values)
    assert {type(values["num_train_epochs"]) for values in drawn} == {int}
    for name in ("recipe", "class_weights", "per_device_train_batch_size"):
        assert {values[name] for values in drawn} == set(DEFAULT_SPACE[name])


def test_a_run_takes_options_up_wherever_they_belong() -> None:
    args = arguments("--seed", "7")
    changed = with_options(
        args, {"learning_rate": 0.002, "recipe": "label-attention", "classifier_dropout": 0.3, "augment_rare": 5}
    )
    assert changed.training.learning_rate == 0.002 and changed.training.seed == 7
    assert changed.model.recipe == ["label-attention"] and changed.data.augment_rare == 5
    # The classifier on a common space has its dropout under another name.
    assert changed.model.classifier_dropout == changed.common.common_dropout == 0.3
    assert args.training.learning_rate == 1e-4 and args.model.recipe == ["bert"] and args.common.common_dropout == 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- learning_rate\n", "must contain `option: "),
        ("a: [1\n", "is not valid YAML"),
        ("learning_rat: [1e-4]\n", "learning_rat: there is no such option"),
        ("learning_rate: {low: 1e-3, high: 1e-5}\n", "learning_rate: expected a list of choices or"),
        ("learning_rate: {low: 0.0, high: 1e-3, log: true}\n", "learning_rate: expected a list"),
        ("learning_rate: {low: 1e-5}\n", "learning_rate: expected a list"),
        ("learning_rate: {low: small, high: 1e-3}\n", "'small' is no number"),
        ("learning_rate: []\n", "learning_rate: expected a list"),
        ("class_weights: {low: 0, high: 1}\n", "class_weights: expected a list"),
        ("class_weights: [none, heavy]\n", "class_weights: 'heavy' is none of none, balanced, sqrt"),
        ("encoder_dropout: [0.0, 1.5]\n", "encoder_dropout: --encoder_dropout must be below 1, got 1.5"),
        ("recipe: [bert, modell]\n", "recipe: --recipe modell: There is no recipe 'modell'"),
        ("recipe: [bert, model-3.3]\n", "the recipe model-3.3 has several stages"),
        ("learning_rate: [1e-3, 1e-5]\n", "the run's own --learning_rate 0.0001 is not in the space"),
    ],
)
def test_space_that_is_not_valid(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"--search_space .*nowhere\.yaml does not exist"):
        read_space(str(tmp_path / "nowhere.yaml"), arguments())


@pytest.mark.parametrize(
    ("parameter", "inside", "outside"),
    [
        (Parameter("x", low=1.0, high=2.0), [1.0, 1.5, 2], [0.9, 2.1, None]),
        (Parameter("x", low=1, high=3, whole=True), [1, 2.0], [1.5, 4]),
        (Parameter("x", choices=(None, "a")), [None, "a"], ["b"]),
    ],
)
def test_what_a_parameter_holds(parameter: Parameter, inside: list[Any], outside: list[Any]) -> None:
    assert all(parameter.holds(value) for value in inside)
    assert not any(parameter.holds(value) for value in outside)
