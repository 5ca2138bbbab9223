"""Parsing a command line and YAML into the arguments of a run."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import Field, fields
from difflib import get_close_matches
from typing import Any

from transformers import HfArgumentParser

from ..runs import RunArguments, check_ranges, read_yaml

# Options with a choice "no", for which YAML has more words.
_STRATEGIES = ("eval_strategy", "save_strategy", "logging_strategy")


def parse_run_arguments(
    argv: Sequence[str], description: str | None = None, defaults: Sequence[str] = ()
) -> RunArguments:
    """Parse a command line. `--config FILE.yaml` sets options; the command line takes precedence.

    Options with a common prefix may be nested in YAML: `emotion: {dataset: FILE}` stands for `emotion_dataset: FILE`.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.
        description (`str`, *optional*): First paragraph of `--help`.
        defaults (`Sequence[str]`): Defaults of a command, as options; YAML and the command line take precedence.

    Raises:
        FileNotFoundError: If the YAML file does not exist.
        ValueError: If the YAML file has an unknown option or is not a mapping, or a value is not valid.
    """
    run, _ = parse_run_arguments_and(None, argv, description, defaults)
    return run


def parse_run_arguments_and(
    further: type | None, argv: Sequence[str], description: str | None = None, defaults: Sequence[str] = ()
) -> tuple[RunArguments, Any]:
    """Parse a command line as [`parse_run_arguments`] does, with the options of an additional dataclass.

    Returns:
        `tuple`: The run's arguments, and those of `further` (`None` without it).
    """
    kinds = (*RunArguments.kinds().values(), *((further,) if further else ()))
    parser = HfArgumentParser(kinds, description=description, allow_abbrev=False)
    parser.add_argument("--config", help="YAML file with any of these options; the command line takes precedence.")
    argv = list(argv)
    config = _value_of("--config", argv)
    if config is not None:
        # Later options override earlier ones.
        argv = _options_of_yaml(config, {item.name: item for kind in kinds for item in fields(kind)}) + argv
    *arguments, _ = parser.parse_args_into_dataclasses([*defaults, *argv])
    run = RunArguments(*arguments[: len(kinds) - bool(further)])
    run.check()
    return run, arguments[-1] if further else None


def check_seeds(seeds: Sequence[int]) -> None:
    """Check the seeds of several runs.

    Raises:
        ValueError: If one is out of range, or given twice.
    """
    check_ranges({"seeds": seeds})
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds {' '.join(map(str, seeds))}: give each seed once.")


def _value_of(option: str, argv: list[str]) -> str | None:
    for index, item in enumerate(argv):
        if item == option and index + 1 < len(argv):
            return argv[index + 1]
        if item.startswith(f"{option}="):
            return item.split("=", 1)[1]
    return None


def _options_of_yaml(path: str, known: Mapping[str, Field]) -> list[str]:
    # As they are written: the parser knows the type of each option, YAML does not (label names such as yes and no).
    written = read_yaml(path, "--config", as_text=True) or {}
    if not isinstance(written, dict):
        raise ValueError(f"{path} must contain `option: value` lines.")
    options = dict(_flatten(written, known))
    typed = dict(_flatten(read_yaml(path, "--config") or {}, known))
    unknown = [name + _suggestion(name, known) for name in options if name not in known]
    if unknown:
        raise ValueError(f"{path}: unknown option {', '.join(unknown)}; see --help for what there is.")
    argv: list[str] = []
    for name, value in options.items():
        if value is not None:
            if isinstance(value, dict):
                argv.append(f"--{name}={json.dumps(typed[name])}")
            elif isinstance(value, list):
                if None in value:
                    raise ValueError(f"{path}: {name} has an empty item; put null in quotation marks if it is a name.")
                argv += [f"--{name}", *map(str, value)]
            else:
                argv.append(f"--{name}={_in_words_of(known[name], value)}")
    return argv


def _in_words_of(option: Field, value: str) -> str:
    """The words of YAML for true and false, in those that the option knows."""
    if option.type in (bool, bool | None) and value.lower() in ("on", "off"):
        return "true" if value.lower() == "on" else "false"
    if option.name in _STRATEGIES and value.lower() in ("no", "off", "false"):
        return "no"
    return value


def _flatten(options: dict[str, Any], known: Collection[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield options under their full names: `emotion: {dataset: FILE}` stands for `emotion_dataset: FILE`."""
    for name, value in options.items():
        full = f"{prefix}{name}"
        if isinstance(value, dict) and full not in known:
            yield from _flatten(value, known, f"{full}_")
        else:
            yield full, value


def _suggestion(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
