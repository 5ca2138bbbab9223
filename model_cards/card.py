"""The model card of a stage."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

TEMPLATE = Path(__file__).parent / "templates" / "stage.md.jinja"

METRIC_NAMES = {
    "jaccard": "Jaccard accuracy",
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "weighted_f1": "weighted F1",
    "pair_auc": "AUC of pairs",
}


@dataclass
class CardDataset:
    """A dataset as a card names it.

    Args:
        name (`str`): Its name.
        hub_id (`str`, *optional*): Its id on the Hub; never a local path, which the Hub refuses.
        license (`str`): Its licence.
        citation (`str`): BibTeX, or empty.
        sizes (`dict[str, int]`): Number of texts by split.
    """

    name: str
    hub_id: str | None
    license: str
    citation: str
    sizes: dict[str, int]


@dataclass
class StageCard:
    """Everything a stage's card says.

    Args:
        title (`str`): The model's name.
        kind (`str`): `"multitask"`, `"siamese"` or `"csr"`.
        stage (`str`): The stage's name.
        starts_from (`dict[str, str]`): By part, the stage it was taken from.
        base_model (`str`, *optional*): Hub id of the pretrained encoder; leave out for a local folder.
        encoder (`str`): The encoder's name as people know it.
        labels (`list[str]`): The labels, in the order of the logits; empty where there is no classifier.
        datasets (`list[CardDataset]`): What it was trained on.
        results (`dict`): What `eval_results.json` holds.
        hyperparameters (`dict`): Those that differ from the defaults of transformers.
        versions (`dict[str, str]`): Versions of the libraries.
        figures (`list[str]`): File names of figures in the same folder.
        joint (`bool`): Whether a common space was trained with its emotion encoder, over tokens.
        teachers (`list[str]`): The stages whose predictions it learnt from.
    """

    title: str
    kind: str
    stage: str
    starts_from: dict[str, str]
    base_model: str | None
    encoder: str
    labels: list[str]
    datasets: list[CardDataset]
    results: dict[str, Any]
    hyperparameters: dict[str, Any]
    versions: dict[str, str]
    figures: list[str] = field(default_factory=list)
    joint: bool = False
    teachers: list[str] = field(default_factory=list)

    @property
    def sources(self) -> int:
        """How many source encoders there are."""
        return sum(part.startswith("source_encoders") for part in self.starts_from)

    def data(self) -> ModelCardData:
        """The card's metadata, in the classes of huggingface_hub."""
        metrics = {name: value for name, value in self.results["metrics"].items() if name in METRIC_NAMES}
        return ModelCardData(
            model_name=self.title,
            language="en",
            library_name="transformers",
            pipeline_tag="text-classification" if self.labels else "feature-extraction",
            license="apache-2.0",
            base_model=self.base_model,
            datasets=[dataset.hub_id for dataset in self.datasets if dataset.hub_id] or None,
            tags=["emotion", "csr-emotion", *(["sentiment"] if "sentiment" in self.stage else [])],
            eval_results=[
                EvalResult(
                    task_type="text-classification",
                    dataset_type=self.datasets[0].hub_id or self.datasets[0].name,
                    dataset_name=self.datasets[0].name,
                    dataset_split="dev",
                    metric_type=name,
                    metric_name=METRIC_NAMES[name],
                    metric_value=round(value, 4),
                )
                for name, value in metrics.items()
            ],
        )

    def render(self) -> ModelCard:
        """The card with its metadata and text."""
        return ModelCard.from_template(self.data(), template_path=str(TEMPLATE), card=self, metric_names=METRIC_NAMES)

    def save(self, folder: Path) -> None:
        """Write `README.md` into the stage's folder."""
        self.render().save(folder / "README.md")
