"""Parsing a command line and YAML into the arguments of a run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from transformers import HfArgumentParser

from ..runs import RunArguments


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
        # The parser converts what YAML leaves as text (1e-4), and later options override earlier ones.
        argv = _options_of_yaml(config, {item.name for kind in kinds for item in fields(kind)}) + argv
    *arguments, _ = parser.parse_args_into_dataclasses([*defaults, *argv])
    run = RunArguments(*arguments[: len(kinds) - bool(further)])
    run.check()
    return run, arguments[-1] if further else None


def _value_of(option: str, argv: list[str]) -> str | None:
    for index, item in enumerate(argv):
        if item == option and index + 1 < len(argv):
            return argv[index + 1]
        if item.startswith(f"{option}="):
            return item.split("=", 1)[1]
    return None


def _options_of_yaml(path: str, known: set[str]) -> list[str]:
    if not Path(path).is_file():
        raise FileNotFoundError(f"--config {path} does not exist.")
    try:
        options = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(options, dict):
        raise ValueError(f"{path} must contain `option: value` lines.")
    options = dict(_flatten(options, known))
    unknown = [name + _suggestion(name, known) for name in options if name not in known]
    if unknown:
        raise ValueError(f"{path}: unknown option {', '.join(unknown)}; see --help for what there is.")
    argv: list[str] = []
    for name, value in options.items():
        if value is not None:
            values = value if isinstance(value, list) else [value]
            argv += [f"--{name}", *(json.dumps(item) if isinstance(item, dict) else str(item) for item in values)]
    return argv


def _flatten(options: dict[str, Any], known: set[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield options under their full names: `emotion: {dataset: FILE}` stands for `emotion_dataset: FILE`."""
    for name, value in options.items():
        full = f"{prefix}{name}"
        if isinstance(value, dict) and full not in known:
            yield from _flatten(value, known, f"{full}_")
        else:
            yield full, value


def _suggestion(name: str, known: set[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
