"""The model card of a trained model."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import jinja2
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from .escaping import escape, printable

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
# Inputs whose stored outputs a card has in its metadata; written for this purpose.
EXAMPLE_TEXTS = (
    "I can't believe we finally made it! 🎉",
    "They cancelled the last train again and nobody told us anything.",
    "Still thinking of her every day. It doesn't get easier.",
)


@dataclass
class CardDataset:
    """A dataset as described on a card.

    Args:
        name (`str`): Name of the dataset.
        hub_id (`str`, *optional*): Id on the Hub; never a local path, which the Hub rejects.
        license (`str`): Licence.
        citation (`str`): BibTeX entry, or empty.
        sizes (`dict[str, int]`): Number of texts per split.
        notes (`list[str]`): Changes made to the published data.
    """

    name: str
    hub_id: str | None
    license: str
    citation: str
    sizes: dict[str, int]
    notes: list[str] = field(default_factory=list)


@dataclass
class StageCard:
    """Contents of a model card. Only the title is required; the card omits or words around unknown fields.

    Args:
        title (`str`): Name of the model: its repository on the Hub, or its folder.
        kind (`str`, defaults to `"multitask"`): `"multitask"`, `"siamese"`, `"csr"`, `"dialogue"`, `"distilled"` or
            `"adapter"`, an encoder's adapter without the encoder.
        stage (`str`, *optional*): Name of the stage, if the model was trained by a recipe.
        starts_from (`dict[str, str]`, *optional*): Maps each part of the model to the stage it was taken from.
        pretrained_sources (`list[str]`, *optional*): Source encoders that were taken from no stage.
        base_models (`list[str]`, *optional*): Hub ids of the models of the preceding stages, or of the pretrained
            encoder; never a local folder, which the Hub rejects.
        encoder (`str`, *optional*): Name of the pretrained encoder, for readers.
        labels (`list[str]`, *optional*): The labels, in the order of the logits; empty if there is no classifier.
        datasets (`list[CardDataset]`, *optional*): Training data: first the datasets of the model's own tasks, in the
            order of `results`, then those of the models it started from.
        results (`dict`, *optional*): Contents of `eval_results.json`. Without `metrics` the model was not evaluated;
            if they are empty, the card describes a checkpoint of an unfinished training.
        hyperparameters (`dict`, *optional*): Those that differ from the defaults of transformers.
        versions (`dict[str, str]`, *optional*): Versions of the libraries.
        figures (`dict[str, str]`, *optional*): Maps file names in the model's folder to captions.
        joint (`bool`, defaults to `False`): Whether the encoder was trained with what is above it: a common space over
            tokens, a Siamese network or the layers over a dialogue.
        shared_backbone (`bool`, defaults to `False`): Whether the encoders of a common space are adapters of one.
        teachers (`list[str]`, *optional*): The stages whose predictions were used as targets.
        problem_type (`str`, defaults to `"multi_label_classification"`): `"multi_label_classification"`,
            `"single_label_classification"` or `"regression"`.
        examples (`dict[str, str]`, *optional*): Maps labels to an example text for the table of labels.
        baseline (`dict[str, float]`, *optional*): Metrics of a baseline on the same data.
        baseline_name (`str`, defaults to `"plain encoder"`): Name of the baseline.
        other_seeds (`list[dict[str, float]]`, *optional*): Metrics of the same stage trained with other seeds.
        language (`str` or `list[str]`, *optional*): ISO 639 code of the language of the training texts, or their codes.
    """

    title: str
    kind: str = "multitask"
    stage: str = ""
    starts_from: dict[str, str] = field(default_factory=dict)
    pretrained_sources: list[str] = field(default_factory=list)
    base_models: list[str] = field(default_factory=list)
    encoder: str = ""
    labels: list[str] = field(default_factory=list)
    datasets: list[CardDataset] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    joint: bool = False
    shared_backbone: bool = False
    teachers: list[str] = field(default_factory=list)
    problem_type: str = "multi_label_classification"
    examples: dict[str, str] = field(default_factory=dict)
    baseline: dict[str, float] = field(default_factory=dict)
    baseline_name: str = "plain encoder"
    other_seeds: list[dict[str, float]] = field(default_factory=list)
    language: str | list[str] | None = None

    @property
    def sources(self) -> int:
        """Number of source encoders."""
        return sum(part.startswith("source_encoders") for part in (*self.starts_from, *self.pretrained_sources))

    @property
    def citations(self) -> list[str]:
        """BibTeX entries of the datasets, without duplicates."""
        return list(dict.fromkeys(dataset.citation for dataset in self.datasets if dataset.citation))

    def spread(self, metric: str) -> tuple[float, float] | None:
        """Mean and standard deviation of a metric over seeds, or `None` if there is only one seed."""
        values = [seed[metric] for seed in (self.results.get("metrics", {}), *self.other_seeds) if metric in seed]
        return (mean(values), stdev(values)) if len(values) > 1 else None

    def data(self) -> ModelCardData:
        """Metadata of the card."""
        further: dict[str, Any] = {}
        if self.base_models:
            further["base_model_relation"] = "adapter" if self.kind == "adapter" else "finetune"
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
            language=self.language,
            library_name="peft" if self.kind == "adapter" else "transformers",
            pipeline_tag="text-classification" if self.labels else "feature-extraction",
            license="apache-2.0",
            base_model=self.base_models or None,
            datasets=[dataset.hub_id for dataset in self.datasets if dataset.hub_id] or None,
            tags=["emotion", "csr-emotion", *self._further_tags()],
            eval_results=self._eval_results() or None,
            **further,
        )

    def _further_tags(self) -> list[str]:
        return [*(["sentiment"] if "sentiment" in self.stage else []), *(["lora"] if self.kind == "adapter" else [])]

    def _eval_results(self) -> list[EvalResult]:
        """Scores of each task of the model, which the Hub displays and indexes."""
        tasks = [self.results, *(self.results.get("tasks") or {}).values()]
        return [
            EvalResult(
                task_type="text-classification",
                # The Hub only accepts what looks like an id.
                dataset_type=dataset.hub_id or re.sub("[^A-Za-z0-9_-]+", "-", dataset.name).strip("-") or "dataset",
                dataset_name=dataset.name,
                dataset_split="dev",
                metric_type=name,
                metric_name=METRIC_NAMES[name],
                metric_value=round(value, 4),
            )
            # The datasets of the model's own tasks come first.
            for dataset, task in zip(self.datasets, tasks, strict=False)
            for name, value in task.get("metrics", {}).items()
            if name in METRIC_NAMES
        ]

    def metadata(self) -> ModelCard:
        """Return a card with only the metadata."""
        return ModelCard(f"---\n{self.data()}\n---\n")

    def render(self) -> ModelCard:
        """Return the complete card."""
        fields = {"card": self, "metric_names": METRIC_NAMES, "text": escape}
        return ModelCard(printable(_template().render(card_data=self.data().to_yaml(), **fields)))

    def save(self, folder: Path) -> None:
        """Write the card to `README.md` in `folder`. A link there is replaced, and what it points to stays as it is."""
        path = folder / "README.md"
        if path.is_symlink():
            path.unlink()
        self.render().save(path)


@cache
def _template() -> jinja2.Template:
    # `ModelCard.from_template` compiles it again for each card, which takes longer than writing the card.
    return jinja2.Template(TEMPLATE.read_text(encoding="utf-8"))
