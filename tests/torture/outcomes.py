"""Whether two output folders hold the same results."""

import json
import re
from pathlib import Path
from typing import Any

# What no two runs share.
TIMES = re.compile(r"seconds|runtime|per_second|_name_or_path|train_loss|total_flos|^model$")
# A trial that was killed is repeated under another number.
TRIAL = re.compile(r"best-trial-\d+")


def difference(here: Path, there: Path) -> str | None:
    """The first difference between the models and results of two folders; `None` if they are bit-identical."""
    mine, others = _models(here), _models(there)
    alone = sorted(mine.keys() ^ others.keys())
    if alone:
        return f"{alone[0]} is in one folder alone"
    for name, path in others.items():
        if mine[name].read_bytes() != path.read_bytes():
            return f"{name} has other weights"
        for results in ("eval_results.json", "training_log.json"):
            if _numbers(mine[name].with_name(results)) != _numbers(path.with_name(results)):
                return f"{results} beside {name} is another"
    return None if _numbers(here / "results.json") == _numbers(there / "results.json") else "results.json is another"


def _models(folder: Path) -> dict[str, Path]:
    paths = folder.rglob("model.safetensors")
    return {TRIAL.sub("best-trial", str(path.relative_to(folder))): path for path in paths}


def _numbers(path: Path) -> Any:
    return _without_times(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if not TIMES.search(key)}
    return [_without_times(item) for item in value] if isinstance(value, list) else value
