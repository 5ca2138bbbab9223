"""The card of a stage, and the figure of the stages it was built from."""

import json
import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from model_cards import CardDataset, StageCard, plot_stages

from ..data import BUNDLED_POSTS, ColumnValues, TaskDataset, load_task_dataset
from ..hub import figures_in, library_versions, notable_hyperparameters
from ..loop import BUNDLED_ENCODER, described_encoder, encoder_label
from ..recipes import DistilledStage, Stage, learnt_tasks, lineage
from .prepared_run import PreparedRun
from .records import StageRecord
from .results import read_evaluation

logger = logging.getLogger(__name__)

# The baseline on the cards of other stages.
BASELINE = "emotion-encoder"


def stage_card(stage: Stage, run: PreparedRun, results: dict[str, Any]) -> StageCard:
    """The card of a stage.

    Args:
        stage ([`Stage`]): The stage.
        run ([`PreparedRun`]): Its run.
        results (`dict`): Contents of `eval_results.json`; for a checkpoint, only its empty `metrics`.
    """
    made_from = run.records[stage.name].made_from
    options = made_from["training"] | made_from.get("siamese", {}) | made_from.get("common", {})
    options |= made_from.get("model", {}) | {
        name: made_from[name]
        for name in ("class_weights", "label_loss", "threshold", "threshold_folds")
        if name in made_from
    }
    adapters = dict(made_from.get("adapters", {}))
    if adapters:
        options |= {"lora_r": adapters.pop("r", None), **adapters}
    encoders = list(dict.fromkeys(pretrained_encoders(stage, run).values()))
    repositories = run.publisher.repositories if run.publisher else None
    data = run.tasks[stage.tasks[0]]
    return StageCard(
        title=repositories[stage.name] if repositories else stage.name,
        kind=stage.kind,
        stage=stage.name,
        starts_from={part: parent.name for part, parent in stage.starts_from.items()},
        pretrained_sources=[part for part in stage.pretrained_parts if part.startswith("source_encoders")],
        base_models=_base_models(stage, run, encoders),
        encoder=_encoder_name(stage, run, encoders),
        labels=list(data.labels) if stage.classifies else [],
        datasets=[card_dataset(run.tasks[task]) for task in learnt_tasks(stage)],
        results=results,
        hyperparameters=notable_hyperparameters(options),
        versions=library_versions(*(["peft"] if adapters else [])),
        figures=figures_in(run.folder(stage)),
        shared_backbone=bool(made_from.get("shared_backbone")),
        joint=stage.trains_encoder,
        teachers=[teacher.name for teacher in stage.teachers],
        problem_type=data.problem_type,
        examples=label_examples(data, run.args.hub.card_examples),
        **_baseline(stage, run, results),
        other_seeds=[_metrics_of(Path(seed) / stage.name) for seed in run.args.hub.other_seeds or ()],
        language=_language(run.tasks[task] for task in learnt_tasks(stage)),
    )


def _language(data: Iterable[TaskDataset]) -> str | list[str]:
    """ISO 639 code of the language of some data, or their codes. Of one's own data none is known but English."""
    codes = list(dict.fromkeys(code for one in data for code in (one.info.languages if one.info else ("en",))))
    return codes[0] if len(codes) == 1 else codes


def save_card(stage: Stage, run: PreparedRun) -> None:
    """Write the `README.md` of a finished stage from the contents of its folder."""
    folder = run.folder(stage)
    stage_card(stage, run, read_evaluation(folder)).save(folder)


def write_card(stage: Stage, run: PreparedRun) -> None:
    """Write the card of a stage that has just been trained, which a card never costs: its failure is a warning."""
    try:
        save_card(stage, run)
    except Exception as error:
        logger.debug("The card of %s could not be written:", stage.name, exc_info=True)
        logger.warning(
            "The card of %s could not be written (%s: %s). The model is complete; --push_to_hub writes its card again.",
            *(stage.name, type(error).__name__, error),
        )


def draw_stages(stage: Stage, run: PreparedRun, path: Path) -> None:
    """Draw the stages that a stage was built from, back to the pretrained encoders."""
    encoders = {name: encoder_label(encoder) for name, encoder in pretrained_encoders(stage, run).items()}
    parents = {one.name: [parent.name for parent in one.parents] for one in lineage(stage)}
    plot_stages(parents, stage.name, path, encoders)


def pretrained_encoders(stage: Stage, run: PreparedRun) -> dict[str, str]:
    """Maps a stage and its predecessors, if they start from a pretrained encoder, to that encoder."""
    found = {one.name: run.args.model.pretrained(one.tasks[0])[0] for one in lineage(stage) if one.pretrained_parts}
    return found | {one.name: one.teacher for one in lineage(stage) if isinstance(one, DistilledStage)}


def _encoder_name(stage: Stage, run: PreparedRun, encoders: list[str]) -> str:
    """Name of the encoders on a card; for a finished student, its stock class."""
    if not isinstance(stage, DistilledStage):
        return " and ".join(map(described_encoder, encoders))
    config = run.folder(stage) / "config.json"
    return json.loads(config.read_text(encoding="utf-8"))["architectures"][0] if config.is_file() else ""


def _base_models(stage: Stage, run: PreparedRun, encoders: list[str]) -> list[str]:
    """Hub ids of the models that a stage was built from. Local paths are left out, since the Hub rejects them."""
    if isinstance(stage, DistilledStage) and run.args.hub.teacher_id:
        return [run.args.hub.teacher_id]
    if run.publisher and stage.starts_from:
        parents = dict.fromkeys(parent.name for parent in stage.starts_from.values())
        return [run.publisher.repositories[parent] for parent in parents]
    return [encoder for encoder in encoders if not Path(encoder).exists() and encoder != BUNDLED_ENCODER]


def _baseline(stage: Stage, run: PreparedRun, results: dict[str, Any]) -> dict[str, Any]:
    """Scores to show beside the stage's own."""
    other = run.args.hub.compare_with
    if other is not None and stage.name == run.final.name:
        return {"baseline": _metrics_of(Path(other)), "baseline_name": run.args.hub.compare_with_name}
    if stage.name != BASELINE and "emotion" in stage.tasks:
        return {"baseline": _metrics_of(run.output_dir / BASELINE)}
    return {}


def _metrics_of(folder: Path) -> dict[str, float]:
    """Metrics of a finished stage, or `{}` if there are none."""
    record = StageRecord.read(folder)
    if record is None or not record.complete:
        return {}
    return read_evaluation(folder)["metrics"]


def label_examples(dataset: TaskDataset, publish: bool) -> dict[str, str]:
    """Maps each label to the shortest text with no other label.

    Args:
        dataset ([`TaskDataset`]): The data.
        publish (`bool`): Whether its own texts may be shown; otherwise, bundled posts illustrate the labels that
            they have.
    """
    if not (publish or (dataset.info and dataset.info.bundled)):
        # Other people's texts may not be ours to publish.
        known = _bundled_examples()
        return {label: known[label] for label in dataset.labels if label in known}
    found: dict[str, str] = {}
    rows = dataset.splits["train"]
    if dataset.problem_type == "regression":
        return found
    single = dataset.problem_type == "single_label_classification"
    for text, target in zip(ColumnValues(rows, "text"), ColumnValues(rows, "labels"), strict=True):
        present = (
            ([target] if target >= 0 else []) if single else [index for index, value in enumerate(target) if value > 0]
        )
        if len(present) == 1:
            label = dataset.labels[present[0]]
            found[label] = min(found.get(label, text), text, key=len)
    return {label: found[label] for label in dataset.labels if label in found}


@cache
def _bundled_examples() -> dict[str, str]:
    """Maps each label of the bundled posts to one of them; empty where they do not come with the package."""
    if not BUNDLED_POSTS.exists():
        return {}
    bundled = (load_task_dataset(name) for name in ("csr-emotion-posts", "csr-emotion-posts-sentiment"))
    return {label: text for data in bundled for label, text in label_examples(data, True).items()}


def card_dataset(dataset: TaskDataset) -> CardDataset:
    """Description of a dataset for a card."""
    info = dataset.info
    return CardDataset(
        # Local data are named by their path, of which only the last part is for others to read.
        name=info.name if info else Path(dataset.name).name,
        hub_id=info.hub_id if info else _hub_id(dataset.name),
        license=info.license if info else "not stated",
        citation=info.citation if info else "",
        sizes={split: len(rows) for split, rows in dataset.splits.items()},
        notes=list(dataset.notes),
    )


def _hub_id(name: str) -> str | None:
    """The id in the name of a Hub dataset, `org/name[:config]`; names of folders and files have no slash."""
    return name.partition(":")[0] if "/" in name else None
