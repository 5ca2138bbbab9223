"""The search space: options of a run, each with a range or choices."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..recipes import find_recipe
from ..runs import RunArguments, read_yaml

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

# For each option, a list of choices or a range: `low`, `high` and optionally `log`. Whole numbers give whole numbers.
DEFAULT_SPACE: dict[str, Any] = {
    "learning_rate": {"low": 3e-5, "high": 5e-4, "log": True},
    "num_train_epochs": {"low": 2, "high": 6},
    "per_device_train_batch_size": [16, 32, 64],
    "classifier_dropout": {"low": 0.0, "high": 0.4},
    "encoder_dropout": [0.0, 0.1],
    "weight_decay": {"low": 0.001, "high": 0.1, "log": True},
    "warmup_steps": {"low": 0.0, "high": 0.2},
    "recipe": ["bert", "label-attention"],
    "class_weights": ["none", "sqrt", "balanced"],
    "augment_rare": [0, 300, 600],
}


@dataclasses.dataclass(frozen=True)
class Parameter:
    """An option that a search varies.

    Args:
        name (`str`): The option.
        choices (`tuple`, *optional*): Its possible values; or else
        low, high (`float`): The range to draw from.
        log (`bool`, defaults to `False`): Whether to draw from the range on a logarithmic scale.
        whole (`bool`, defaults to `False`): Whether to draw only whole numbers.
    """

    name: str
    choices: tuple[Any, ...] | None = None
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def suggest(self, trial: "BaseTrial") -> Any:
        """Value of the parameter in an Optuna trial."""
        if self.choices is not None:
            return trial.suggest_categorical(self.name, list(self.choices))
        if self.whole:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def holds(self, value: Any) -> bool:
        """Whether a value is in the range or among the choices."""
        if self.choices is not None:
            return value in self.choices
        number = isinstance(value, int | float) and self.low <= value <= self.high
        return number and (not self.whole or float(value).is_integer())

    def ends(self) -> tuple[Any, ...]:
        """Values whose validity implies that of all others."""
        return self.choices if self.choices is not None else (self.low, self.high)


def read_space(path: str | None, args: RunArguments) -> list[Parameter]:
    """Load the search space from a YAML file, or the default one.

    Args:
        path (`str`, *optional*): The file, with a list of choices or a mapping with `low`, `high` and `log` per option.
        args ([`RunArguments`]): The run whose options are varied. Its own values must be in the space, so that the
            default settings are one of the trials.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If an option is unknown, or a range, a choice or the run's own value is not valid.
    """
    source, entries = "the default search space", DEFAULT_SPACE
    if path is not None:
        source = f"--search_space {path}"
        entries = read_yaml(path, "--search_space")
    if not isinstance(entries, Mapping) or not entries:
        raise ValueError(f"{source} must contain `option: [choices]` or `option: {{low: ..., high: ...}}` lines.")
    space = [_parameter(name, entry, args, f"{source}, {name}") for name, entry in entries.items()]
    for parameter in space:
        for value in parameter.ends():
            try:
                changed = with_options(args, {parameter.name: value})
            except (ValueError, TypeError) as error:
                raise ValueError(f"{source}, {parameter.name}: {error}") from error
            for recipe in changed.model.recipe:
                if len(find_recipe(recipe).stages) > 1:
                    raise ValueError(
                        f"{source}: the recipe {recipe} has several stages, and an option would change all of them. "
                        "Search over recipes of one stage, such as bert and label-attention."
                    )
        own = own_value(args, parameter.name)
        if not parameter.holds(own):
            raise ValueError(
                f"{source}, {parameter.name}: the run's own --{parameter.name} {own} is not in the space, so no trial "
                "would have the default settings. Widen the space, or change the option."
            )
    return space


def own_value(args: RunArguments, name: str) -> Any:
    """A run's value of an option; for `recipe`, the only one, and for epochs that are not set, the usual number."""
    value = next(getattr(part, name) for part in _parts(args).values() if _has(part, name))
    if name == "num_train_epochs" and value is None:
        return args.training.usual_epochs
    return value[0] if name == "recipe" else value


def with_options(args: RunArguments, options: Mapping[str, Any]) -> RunArguments:
    """Change some options of a run, with the checks of a command line.

    `classifier_dropout` also sets `common_dropout`, its counterpart in recipes with a common space.

    Raises:
        ValueError: If a value is not valid.
    """
    options = dict(options)
    if "classifier_dropout" in options:
        options.setdefault("common_dropout", options["classifier_dropout"])
    if isinstance(options.get("recipe"), str):
        options["recipe"] = [options["recipe"]]
    changed = {}
    for part_name, part in _parts(args).items():
        mine = {name: options[name] for name in options if _has(part, name)}
        for item in dataclasses.fields(part):
            choices = item.metadata.get("choices")
            if choices and item.name in mine and mine[item.name] not in choices:
                raise ValueError(f"{mine[item.name]!r} is none of {', '.join(map(str, choices))}.")
        changed[part_name] = dataclasses.replace(part, **mine) if mine else part
    return RunArguments(**changed)


def _parts(args: RunArguments) -> dict[str, Any]:
    return {item.name: getattr(args, item.name) for item in dataclasses.fields(args)}


def _has(part: Any, name: str) -> bool:
    return any(item.name == name for item in dataclasses.fields(part))


def _parameter(name: str, entry: Any, args: RunArguments, place: str) -> Parameter:
    if not any(_has(part, name) for part in _parts(args).values()):
        raise ValueError(f"{place}: there is no such option; see --help for what there is.")
    number = isinstance(own_value(args, name), int | float) and not isinstance(own_value(args, name), bool)
    if isinstance(entry, list) and entry:
        return Parameter(name, choices=tuple(_numbers(entry, place) if number else entry))
    if isinstance(entry, Mapping) and {"low", "high"} <= set(entry) <= {"low", "high", "log"} and number:
        low, high = _numbers([entry["low"], entry["high"]], place)
        log = bool(entry.get("log", False))
        if low < high and (low > 0 or not log):
            return Parameter(name, low=low, high=high, log=log, whole=isinstance(low, int) and isinstance(high, int))
    raise ValueError(
        f"{place}: expected a list of choices or, for a number, low below high (and above 0 with log: true), got "
        f"{entry}."
    )


def _numbers(values: list[Any], place: str) -> Iterator[Any]:
    """Convert text to a number if possible, such as one in quotation marks."""
    for value in values:
        try:
            yield value if isinstance(value, int | float) or value is None else float(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{place}: {value!r} is no number.") from error


__all__ = ["DEFAULT_SPACE", "Parameter", "own_value", "read_space", "with_options"]
