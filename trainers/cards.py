"""From a finished stage to its card."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from model_cards import StageCard, plot_training_curves
from model_cards.card import CardDataset

from .context import StageContext
from .encoders import BUNDLED_ENCODER, encoder_label
from .recipes import Stage, learnt_tasks

CURVES_NAME = "training_curves.png"
LIBRARIES = ("transformers", "torch", "datasets", "tokenizers", "huggingface_hub")


def write_card(
    stage: Stage, context: StageContext, results: dict[str, Any], log_history: list[dict[str, Any]], folder: Path
) -> None:
    """Write a stage's `README.md` and the figures it shows into the stage's folder."""
    plot_training_curves(log_history, folder / CURVES_NAME)
    made_from = context.records[stage.name].made_from
    options = made_from["training"] | made_from.get("siamese", {}) | made_from.get("common", {})
    encoder = context.args.model.encoder
    local = Path(encoder).exists() or encoder == BUNDLED_ENCODER
    StageCard(
        title=stage.name,
        kind=stage.kind,
        stage=stage.name,
        starts_from=stage.starts_from,
        base_model=None if local else encoder,
        encoder=encoder_label(encoder),
        labels=list(results.get("per_label", {})),
        datasets=[_dataset(task, context) for task in learnt_tasks(stage)],
        results=results,
        hyperparameters={name: value for name, value in sorted(options.items()) if value is not None},
        versions={name: version(name) for name in LIBRARIES},
        figures=[CURVES_NAME],
        joint=stage.joint,
        teachers=list(stage.teachers),
    ).save(folder)


def _dataset(task: str, context: StageContext) -> CardDataset:
    dataset = context.tasks[task]
    info = dataset.info
    return CardDataset(
        # A dataset of one's own is named by its path: only the last part is for others to read.
        name=info.name if info else Path(dataset.name).name,
        hub_id=info.hub_id if info else None,
        license=info.license if info else "not stated",
        citation=info.citation if info else "",
        sizes={split: len(rows) for split, rows in dataset.splits.items()},
    )
