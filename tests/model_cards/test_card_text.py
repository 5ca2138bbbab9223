"""The text of a card, which people read."""

from pathlib import Path

from model_cards import CardDataset
from tests.helpers.card_parts import card, saved, tables


def test_tables(tmp_path: Path) -> None:
    found = tables(saved(card(), tmp_path).text)
    labels, metrics, shuffled, datasets = found
    assert labels[0] == ["label", "precision", "recall", "F1", "texts", "threshold"]
    assert labels[1] == ["anger", "0.250", "0.750", "0.375", "8", "0.250"]
    assert labels[2] == ["joy: a 'yes'", "0.250", "0.750", "0.500", "8", "0.625"]
    assert metrics[0] == ["metric", "dev", "dev at threshold 0.5"]
    assert metrics[1] == ["Jaccard accuracy", "0.6123", "0.6023"]
    assert shuffled[0][:2] == ["shuffled input", "Jaccard accuracy"]
    assert [row[2] for row in shuffled[1:]] == ["0.1000", "0.6500"]
    assert datasets[1] == ["posts", "80 train, 15 dev", "cc-by-4.0"]


def test_table_of_labels_shows_examples(tmp_path: Path) -> None:
    labels = tables(saved(card(examples={"anger": "go\naway | now"}), tmp_path).text)[0]
    # Of a label without a text there is nothing to show.
    assert [row[-1] for row in labels] == ["example", "go away | now", "–"]


def test_table_of_metrics_compares(tmp_path: Path) -> None:
    seeds = [{"jaccard": 0.71234, "micro_f1": 0.7}, {"jaccard": 0.66234}]
    text = saved(card(baseline={"jaccard": 0.5, "accuracy": 0.9}, other_seeds=seeds), tmp_path).text
    metrics = tables(text)[1]
    assert metrics[0] == ["metric", "dev", "dev at threshold 0.5", "plain encoder", "mean ± std, 3 seeds"]
    by_name = {row[0]: row[3:] for row in metrics[1:]}
    # 0.61234, 0.71234, 0.66234: the standard deviation of a sample.
    assert by_name["Jaccard accuracy"] == ["0.5000", "0.6623 ± 0.0500"]
    assert by_name["micro F1"] == ["–", "0.7000 ± 0.0000"]
    assert by_name["macro F1"] == ["–", "–"]
    assert "accuracy" not in by_name
    assert "One seed." not in text


def test_text_of_a_joint_common_space_and_its_teachers(tmp_path: Path) -> None:
    parts = {"emotion_encoder": "a", "source_encoders.0": "b", "source_encoders.1": "c"}
    text = saved(card(joint=True, starts_from=parts, teachers=["bert", "csr"]), tmp_path).text
    assert "an emotion encoder and 2 source encoders" in text
    assert "**Self-trained**" in text and "the stage `bert` is one of the teachers" in text
    assert "the source encoder 1 comes from the stage `c`" in text
    assert "**Self-trained**" not in card(joint=True).render().text


def test_text_says_where_the_model_comes_from(tmp_path: Path) -> None:
    text = saved(card(), tmp_path).text
    assert "the emotion encoder comes from the stage `emotion-encoder`" in text
    assert "Stage `csr`, built on the encoder org/encoder." in text
    assert "learning_rate: 0.0005" in text
    assert "torch 2.6" in text
    assert "@misc{posts," in text and "chouragade" in text
    assert "![Losses](training_curves.png)" in text and "![The dev texts in space](space.png)" in text
    assert "stages.png" not in text
    # Tuned thresholds and a single seed are optimistic, and the card says so.
    assert "One seed." in text and "optimistic" in text
    assert "{{" not in text and "{%" not in text


def test_text_of_a_fixed_threshold(tmp_path: Path) -> None:
    results = {name: value for name, value in card().results.items() if name in ("metrics", "per_label")}
    text = saved(card(results=results), tmp_path).text
    assert "threshold" not in text.split("<!-- end of usage -->")[1]
    assert "shuffled" not in text
    assert len(tables(text)) == 3


def test_each_citation_stands_once() -> None:
    cited = [CardDataset("posts", None, "other", citation, {}) for citation in ("@x", "@y", "@x")]
    made = card(datasets=[*cited, CardDataset("d", None, "other", "", {})])
    assert made.citations == ["@x", "@y"]
    assert made.render().text.count("@x") == 1


def test_scores_by_language_and_the_scale_of_intensities(tmp_path: Path) -> None:
    scores = {"precision": 0.5, "recall": 0.5, "f1": 0.25, "support": 4}
    results = {
        "task": "emotion",
        "metrics": {"macro_f1": 0.5},
        "per_label": {"anger": scores, "joy": scores},
        "per_language": {
            "deu": {"macro_f1": 0.5, "per_label": {"anger": scores, "joy": scores}},
            "eng": {"macro_f1": 0.25, "per_label": {"joy": scores}},
        },
        "tasks": {
            "intensity": {
                "metrics": {"pearson": 0.75},
                "per_label": {"joy": {"pearson": 0.75, "mean_absolute_error": 0.5, "support": 4}},
                "per_language": {"deu": {"pearson": 0.75, "per_label": {"joy": {"pearson": 0.75}}}},
                "scale": [0.0, 3.0],
            }
        },
    }
    text = saved(card(kind="multitask", labels=["anger", "joy"], results=results, examples={}), tmp_path).text
    by_language = next(table for table in tables(text) if table[0][0] == "language")
    assert by_language == [
        ["language", "all", "anger", "joy"],
        ["deu", "0.500", "0.250", "0.250"],
        ["eng", "0.250", "–", "0.250"],
    ]
    # A single language is what all is.
    assert text.count("| language |") == 1
    assert "Predictions are on the scale of the training data, 0 to 3, and may fall outside it." in text
