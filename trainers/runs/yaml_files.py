"""Reading YAML files without the surprises of YAML 1.1, such as `no` for False and 1e-4 for text."""

import re
from pathlib import Path
from typing import Any

import yaml

# By tag, the scalars that are not text. In this order, since every integer looks like a float, too.
_OTHER_THAN_TEXT = {"null": r"~|null|Null|NULL|", "merge": r"<<"}
_TYPED = {
    **_OTHER_THAN_TEXT,
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
}


class _TextLoader(yaml.SafeLoader):
    """Leaves all scalars but null as they are written."""


class _TypedLoader(yaml.SafeLoader):
    """Resolves scalars as YAML 1.2 does: only true and false are boolean, 1e-4 is a number, and dates are text."""


for _loader, _kinds in ((_TextLoader, _OTHER_THAN_TEXT), (_TypedLoader, _TYPED)):
    # Under `None` those for scalars with any first character.
    _loader.yaml_implicit_resolvers = {
        None: [(f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{form})\Z")) for kind, form in _kinds.items()]
    }


def _integer(loader: yaml.SafeLoader, node: Any) -> int:
    # PyYAML takes a leading zero for an octal number.
    return int(loader.construct_scalar(node))


_TypedLoader.add_constructor("tag:yaml.org,2002:int", _integer)


def read_yaml(path: str, option: str, *, as_text: bool = False) -> Any:
    """Read a YAML file.

    Args:
        path (`str`): The file.
        option (`str`): The option that names it, for error messages.
        as_text (`bool`, defaults to `False`): Whether to leave scalars as they are written, for a parser that converts
            them. By default, they are converted as in YAML 1.2.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not valid YAML.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{option} {path} does not exist.")
    loader = _TextLoader if as_text else _TypedLoader
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{option} {path} is not valid YAML: {error}") from error


__all__ = ["read_yaml"]
