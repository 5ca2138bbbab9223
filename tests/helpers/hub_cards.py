"""The rules of the Hub on loopback for model cards."""

import re
from typing import Any

import yaml

CARD = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
REPOSITORY_NAME = re.compile(r"([\w-]+/)?(?!\.)[\w.-]+")
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
SDKS = ("gradio", "docker", "static", "streamlit")
LICENSE = re.compile(
    r"apache-2\.0|mit|isc|bsd(-[23]-clause)?|mpl-2\.0|[al]?gpl(-[23]\.[01])?|eupl-1\.[12]|epl-[12]\.0|unlicense|wtfpl|afl-3\.0"
    r"|cc|cc0-1\.0|cc-by(-nc)?(-nd|-sa)?-[234]\.[05]|odbl|odc-by|pddl|ofl-1\.1|openrail(\+\+)?|bigscience-openrail-m"
    r"|creativeml-openrail-m|llama(2|3|3\.[123]|4)|gemma|other|unknown"
)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def read_card(content: str) -> dict[str, Any]:
    """The metadata at the head of a README.md."""
    match = CARD.search(content)
    return (yaml.safe_load(match[1]) if match else None) or {}


def check_card(content: str, kind: str) -> tuple[list[str], list[str]]:
    """What the Hub refuses in a README.md, and what it only warns of."""
    try:
        card = read_card(content)
    except yaml.YAMLError as error:
        return [f"YAML cannot be read: {error}"], []
    if not card:
        return [], ["empty or missing yaml metadata in repo card"]
    if not isinstance(card, dict):
        return ["metadata must be an object"], []
    errors = []
    for key in ("base_model", "datasets"):
        site = "models" if key == "base_model" else "datasets"
        errors += [
            f'"{key}" with value "{value}" is not valid. Use an id from https://hf.co/{site}.'
            for value in as_list(card.get(key))
            if not isinstance(value, str) or not REPOSITORY_NAME.fullmatch(value)
        ]
    for value in as_list(card.get("language")):
        if not isinstance(value, str) or not re.fullmatch("[a-z]{2,3}|code|multilingual", value):
            errors.append(
                f'"language" with value "{value}" is not valid. It must be an ISO 639-1, 639-2 or 639-3 code '
                '(two/three letters), or a special value like "code", "multilingual".'
            )
    for value in as_list(card.get("license")):
        if not LICENSE.fullmatch(str(value)):
            errors.append(f'"license" must be one of [apache-2.0, mit, ...], not {value}')
    errors += [f'"{key}" must be an array' for key in ("widget", "tags", "metrics") if _noas_list(card.get(key))]
    errors += [f'"{key}" must be a string' for key in ("pipeline_tag", "library_name") if _no_string(card.get(key))]
    if kind == "space":
        choices = (("colorFrom", COLOURS), ("colorTo", COLOURS), ("sdk", SDKS))
        errors += [
            f'"{key}" must be one of {allowed}' for key, allowed in choices if card.get(key) not in (None, *allowed)
        ]
        if len(str(card.get("short_description", ""))) > 60:
            errors.append('"short_description" length must be less than or equal to 60 characters long')
    return errors + _check_model_index(card.get("model-index")), []


def _noas_list(value: Any) -> bool:
    return value is not None and not isinstance(value, list)


def _no_string(value: Any) -> bool:
    return value is not None and not isinstance(value, str)


def _check_model_index(index: Any) -> list[str]:
    if _noas_list(index):
        return ['"model-index" must be an array']
    errors: list[str] = []

    def required(where: str, value: Any, keys: tuple[str, ...]) -> bool:
        if not isinstance(value, dict):
            errors.append(f'"{where}" must be of type object')
            return False
        missing = [key for key in keys if value.get(key) is None]
        errors.extend(f'"{where}.{key}" is required' for key in missing)
        return not missing

    for i, model in enumerate(index or ()):
        place = f"model-index[{i}]"
        if not required(place, model, ("name", "results")):
            continue
        if not isinstance(model["results"], list):
            errors.append(f'"{place}.results" must be an array')
            continue
        for j, result in enumerate(model["results"]):
            where = f"{place}.results[{j}]"
            if not required(where, result, ("task", "dataset", "metrics")):
                continue
            required(f"{where}.task", result["task"], ("type",))
            if required(f"{where}.dataset", result["dataset"], ("type", "name")):
                name = str(result["dataset"]["type"])
                if not REPOSITORY_NAME.fullmatch(name):
                    errors.append(f'"{where}.dataset.type" with value "{name}" fails to match the required pattern')
            for k, metric in enumerate(as_list(result["metrics"])):
                required(f"{where}.metrics[{k}]", metric, ("type", "value"))
    return errors
