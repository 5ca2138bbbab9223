"""The model card of a stage."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from .escaping import escape

TEMPLATE = Path(__file__).parent / "templates" / "stage.md.jinja"

METRIC_NAMES = {
    "jaccard": "Jaccard accuracy",
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "weighted_f1": "weighted F1",
    "pair_auc": "AUC of pairs",
    "pearson": "Pearson's r",
}
# What a card shows the answers to; written for this purpose.
EXAMPLE_TEXTS = (
    "I can't believe we finally made it! 🎉",
    "They cancelled the last train again and nobody told us anything.",
    "Still thinking of her every day. It doesn't get easier.",
)


@dataclass
class CardDataset:
    """A dataset as a card names it.

    Args:
        name (`str`): Its name.
        hub_id (`str`, *optional*): Its id on the Hub; never a local path, which the Hub refuses.
        license (`str`): Its licence.
        citation (`str`): BibTeX, or empty.
        sizes (`dict[str, int]`): Number of texts by split.
        notes (`list[str]`): What was done to the published data.
    """

    name: str
    hub_id: str | None
    license: str
    citation: str
    sizes: dict[str, int]
    notes: list[str] = field(default_factory=list)


@dataclass
class StageCard:
    """Everything a stage's card says.

    Args:
        title (`str`): The model's name: its repository on the Hub, or its folder.
        kind (`str`): `"multitask"`, `"siamese"`, `"csr"`, `"dialogue"` or `"distilled"`.
        stage (`str`): The stage's name.
        starts_from (`dict[str, str]`): By part, the stage it was taken from.
        base_models (`list[str]`): Hub ids of what it was made of: the models of the stages before it, or the pretrained
            encoder; never a local folder, which the Hub refuses.
        encoder (`str`): The encoder's name as people know it.
        labels (`list[str]`): The labels, in the order of the logits; empty where there is no classifier.
        datasets (`list[CardDataset]`): What it was trained on: the data of its tasks, in the order of `results`, and
            then those of what it started from.
        results (`dict`): What `eval_results.json` holds.
        hyperparameters (`dict`): Those that differ from the defaults of transformers.
        versions (`dict[str, str]`): Versions of the libraries.
        figures (`dict[str, str]`): By file name in the same folder, what a figure shows.
        joint (`bool`): Whether a common space was trained with its emotion encoder, over tokens.
        teachers (`list[str]`): The stages whose predictions it learnt from.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        examples (`dict[str, str]`): By label, a text that has it, for the table of labels.
        baseline (`dict[str, float]`): Metrics of what the model is compared with, on the same data.
        baseline_name (`str`): What that is.
        other_seeds (`list[dict[str, float]]`): Metrics of the same stage in runs with other seeds.
    """

    title: str
    kind: str
    stage: str
    starts_from: dict[str, str]
    base_models: list[str]
    encoder: str
    labels: list[str]
    datasets: list[CardDataset]
    results: dict[str, Any]
    hyperparameters: dict[str, Any]
    versions: dict[str, str]
    figures: dict[str, str] = field(default_factory=dict)
    joint: bool = False
    teachers: list[str] = field(default_factory=list)
    problem_type: str = "multi_label_classification"
    examples: dict[str, str] = field(default_factory=dict)
    baseline: dict[str, float] = field(default_factory=dict)
    baseline_name: str = "plain encoder"
    other_seeds: list[dict[str, float]] = field(default_factory=list)

    @property
    def sources(self) -> int:
        """How many source encoders there are."""
        return sum(part.startswith("source_encoders") for part in self.starts_from)

    @property
    def citations(self) -> list[str]:
        """The BibTeX of the datasets, each once."""
        return list(dict.fromkeys(dataset.citation for dataset in self.datasets if dataset.citation))

    def spread(self, metric: str) -> tuple[float, float] | None:
        """Mean and standard deviation of a metric over the seeds; `None` where there is one seed."""
        values = [seed[metric] for seed in (self.results["metrics"], *self.other_seeds) if metric in seed]
        return (mean(values), stdev(values)) if len(values) > 1 else None

    def data(self) -> ModelCardData:
        """The card's metadata, in the classes of huggingface_hub."""
        further: dict[str, Any] = {}
        if self.base_models:
            further["base_model_relation"] = "finetune"
        if self.results.get("examples"):
            further["widget"] = self.results["examples"]
        if self.results.get("emissions_kg") is not None:
            further["co2_eq_emissions"] = {
                "emissions": round(1000 * self.results["emissions_kg"], 3),
                "source": "codecarbon",
                "training_type": "fine-tuning",
            }
        return ModelCardData(
            model_name=self.title,
            language="en",
            library_name="transformers",
            pipeline_tag="text-classification" if self.labels else "feature-extraction",
            license="apache-2.0",
            base_model=self.base_models or None,
            datasets=[dataset.hub_id for dataset in self.datasets if dataset.hub_id] or None,
            tags=["emotion", "csr-emotion", *(["sentiment"] if "sentiment" in self.stage else [])],
            eval_results=self._eval_results() or None,
            **further,
        )

    def _eval_results(self) -> list[EvalResult]:
        """The scores of each of the model's tasks, for the Hub to show and to search."""
        tasks = [self.results, *(self.results.get("tasks") or {}).values()]
        return [
            EvalResult(
                task_type="text-classification",
                # The Hub takes only what could be an id.
                dataset_type=dataset.hub_id or re.sub("[^A-Za-z0-9_-]+", "-", dataset.name).strip("-") or "dataset",
                dataset_name=dataset.name,
                dataset_split="dev",
                metric_type=name,
                metric_name=METRIC_NAMES[name],
                metric_value=round(value, 4),
            )
            # The data of a model's own tasks come before those of what it started from.
            for dataset, task in zip(self.datasets, tasks, strict=False)
            for name, value in task.get("metrics", {}).items()
            if name in METRIC_NAMES
        ]

    def metadata(self) -> ModelCard:
        """A card of the metadata alone."""
        return ModelCard(f"---\n{self.data()}\n---\n")

    def render(self) -> ModelCard:
        """The card with its metadata and text."""
        return ModelCard.from_template(
            self.data(), template_path=str(TEMPLATE), card=self, metric_names=METRIC_NAMES, text=escape
        )

    def save(self, folder: Path) -> None:
        """Write `README.md` into the stage's folder."""
        self.render().save(folder / "README.md")
