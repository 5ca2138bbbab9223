"""The metadata of a card, which the Hub reads."""

from pathlib import Path

from model_cards import CardDataset
from tests.helpers.card_parts import card, metadata, saved, tables


def test_metadata_survives_a_trip_through_the_file(tmp_path: Path) -> None:
    data = saved(card(), tmp_path).data
    assert data.base_model == ["org/csr-emotion-encoder", "org/csr-sentiment-encoder"]
    assert data.base_model_relation == "finetune"
    assert data.tags == ["emotion", "csr-emotion"]
    assert data.datasets == ["org/posts"]
    assert data.library_name == "transformers"
    assert data.pipeline_tag == "text-classification"
    assert data.license == "apache-2.0"
    found = {result.metric_type: result for result in data.eval_results}
    assert {name: result.metric_value for name, result in found.items()} == {
        "jaccard": 0.6123,
        "micro_f1": 0.7,
        "macro_f1": 0.5556,
    }
    assert found["jaccard"].metric_name == "Jaccard accuracy"
    assert found["jaccard"].dataset_split == "dev"
    assert found["jaccard"].dataset_type == "org/posts"
    assert found["jaccard"].task_type == "text-classification"


def test_local_names_are_left_out(tmp_path: Path) -> None:
    local = CardDataset("my posts", None, "not stated", "", {"train": 5})
    saved(card(base_models=[], encoder="my-encoder", datasets=[local]), tmp_path)
    data = metadata(tmp_path)
    assert not data.keys() & {"base_model", "base_model_relation", "datasets"}
    (index,) = data["model-index"]
    # Where an id should stand, the Hub takes only what could be one.
    assert index["results"][0]["dataset"] == {"name": "my posts", "type": "my-posts", "split": "dev"}


def test_widget_and_emissions(tmp_path: Path) -> None:
    examples = [
        {"text": "A 🎉", "output": [{"label": "joy: a 'yes'", "score": 0.75}, {"label": "anger", "score": 0.1}]}
    ]
    loaded = saved(card(results={**card().results, "examples": examples, "emissions_kg": 0.00123456}), tmp_path)
    data = metadata(tmp_path)
    assert data["widget"] == examples
    # The Hub wants grams.
    assert data["co2_eq_emissions"] == {"emissions": 1.235, "source": "codecarbon", "training_type": "fine-tuning"}
    assert "about 1.23 g of CO2" in loaded.text
    assert "co2_eq_emissions" not in card().data().to_dict() and "widget" not in card().data().to_dict()
    assert "CO2" not in card().render().text


def test_metadata_alone_are_those_of_the_whole_card() -> None:
    assert card().metadata().data.to_dict() == card().render().data.to_dict()


def test_card_of_a_checkpoint(tmp_path: Path) -> None:
    """Before there are results."""
    loaded = saved(card(results={"metrics": {}}), tmp_path)
    assert "model-index" not in metadata(tmp_path)
    assert loaded.data.pipeline_tag == "text-classification"
    assert "the training is not finished" in loaded.text and "One seed" not in loaded.text
    assert len(tables(loaded.text)) == 1
    assert "not finished" not in card().render().text


def test_card_without_results_or_classifier(tmp_path: Path) -> None:
    loaded = saved(card(kind="siamese", labels=[], results={"metrics": {"loss": 0.1, "pair_auc": 0.8}}), tmp_path)
    assert loaded.data.pipeline_tag == "feature-extraction"
    assert [result.metric_type for result in loaded.data.eval_results] == ["pair_auc"]
    assert "threshold" not in loaded.text
    assert "| AUC of pairs | 0.8000 |" in loaded.text
    assert "## Labels" not in loaded.text
