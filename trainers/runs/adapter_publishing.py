"""Repositories of their own for the LoRA adapters of a run."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from modeling_csr import ADAPTER_FOLDER

from ..data import write_json
from ..hub import is_part_of_model
from ..loop import BUNDLED_ENCODER
from ..recipes import EncoderStage, Stage
from .cards import stage_card
from .prepared_run import PreparedRun
from .results import read_evaluation


def adapter_name(stage: Stage) -> str:
    """What the adapter of a stage is called among the repositories of a run."""
    return f"{stage.name}-{ADAPTER_FOLDER}"


def stages_with_adapters(run: PreparedRun) -> list[Stage]:
    """The stages whose adapters are published."""
    return [stage for stage in run.stages if isinstance(stage, EncoderStage)] if run.args.hub.push_adapters else []


@contextmanager
def publishable_adapter(stage: Stage, run: PreparedRun) -> Iterator[Path]:
    """A folder with the adapter of a finished stage as it is published: with Hub ids where there are any, and a card.

    `base_model_name_or_path` names the adapter's own repository, whose config has labels and thresholds, and says by
    `adapter_base` which encoder belongs below: by the encoder alone, transformers would not know them.
    """
    assert run.publisher is not None, "with_publisher prepares what publishes a run"
    repository, base = run.publisher.repositories[adapter_name(stage)], base_model(stage, run)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / ADAPTER_FOLDER
        folder.mkdir()
        for path in filter(is_part_of_model, (run.folder(stage) / ADAPTER_FOLDER).iterdir()):
            shutil.copy2(path, folder)
        _change(folder / "adapter_config.json", base_model_name_or_path=repository)
        if base is not None:
            known = json.loads((folder / "config.json").read_text(encoding="utf-8"))["adapter_base"]
            _change(folder / "config.json", adapter_base=known | base)
        adapter_card(stage, run, read_evaluation(run.folder(stage))).save(folder)
        yield folder


def adapter_card(stage: Stage, run: PreparedRun, results: dict[str, Any]) -> Any:
    """The card of a stage's adapter: that of the stage, but for what it is and how it is used."""
    assert run.publisher is not None, "with_publisher prepares what publishes a run"
    card, base = stage_card(stage, run, results), base_model(stage, run)
    card.title, card.kind = run.publisher.repositories[adapter_name(stage)], "adapter"
    card.base_models = [base["name"]] if base else []
    card.figures = {}
    return card


def base_model(stage: Stage, run: PreparedRun) -> dict[str, str] | None:
    """Hub id of the encoder below a stage's adapter, and its revision if one was chosen; `None` for a local one."""
    if isinstance(stage, EncoderStage) and stage.encoder is not None:
        return {"name": run.publisher.repositories[stage.encoder.name]} if run.publisher else None
    name, revision = run.args.model.pretrained(stage.tasks[0])
    if Path(name).exists() or name == BUNDLED_ENCODER:
        return None
    return {"name": name} | ({"revision": revision} if revision else {})


def _change(path: Path, **fields: Any) -> None:
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | fields)
