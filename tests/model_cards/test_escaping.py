"""Text from data stays text: rendered as Markdown it looks as it is, and nothing begins in it."""

import html
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from model_cards import StageCard
from model_cards.card import CardDataset
from model_cards.escaping import escape
from model_cards.merging import merge_cards

NASTY = [
    "*very* **bold** _so_ __under__ ~~gone~~",
    "a | b \\| c \\\\| d \\",
    "<b>bold</b> <script>alert(1)</script> <img src=x onerror=y>",
    "[link](https://example.org) ![image](a.png) [ref] [x]: y",
    "https://example.org www.example.org me@example.org <https://example.org>",
    "<!-- generated: model --> mine <!-- end of model -->",
    "<!-- end of results -->",
    "--> <!--",
    "`code` ``` ~~~ \\`",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "---",
    "| --- |",
    "{{ 7 * 7 }} {% raw %} {# comment #} {{ card.title }}",
    "&amp; &lt; &#42; & < > \\> \\&",
    "key: value, 'quoted' \"doubly\" !tag &anchor *alias %directive @at",
    "$x$ $$y$$ :smile: @somebody #42",
    "🎉 naïve — ﷽ \u202eright to left",
]

markdown = MarkdownIt("commonmark", {"html": True, "linkify": True}).enable("table").enable("strikethrough")


def shown(text: str) -> str:
    """What a reader sees of one line."""
    return " ".join(text.split())


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("place", ["{}", "| {} | next |\n|---|---|\n| {} | next |", "Some words {} and more."])
def test_escaped_text_is_shown_as_it_is(text: str, place: str) -> None:
    rendered = markdown.render(place.format(*[escape(text)] * place.count("{}")))
    tags = {"p"} if "|" not in place else {"table", "thead", "tbody", "tr", "th", "td"}
    assert set(re.findall(r"<(\w+)", rendered)) == tags
    assert rendered.count("<td>") == (2 if "|" in place else 0)
    words = html.unescape(re.sub(r"</?(?:p|table|thead|tbody|tr|th|td)>", "", rendered))
    assert shown(words).count(shown(text)) == place.count("{}")
    assert "<!--" not in rendered


@pytest.mark.parametrize("text", ["two\nlines", "two\r\n\r\n# lines", "  two \t lines\n", "two\u2028lines"])
def test_escaped_text_is_one_line(text: str) -> None:
    assert len(escape(text).splitlines()) == 1
    assert re.fullmatch(r"two (\\# )?lines", escape(text))


def test_what_is_no_text_is_escaped_as_text() -> None:
    assert escape(-1.5) == r"\-1\.5"


def nasty_card(text: str) -> StageCard:
    scores = {"precision": 0.25, "recall": 0.75, "f1": 0.375, "support": 8}
    results: dict[str, Any] = {
        "metrics": {"macro_f1": 0.5},
        "metrics_at_0.5": {"macro_f1": 0.4},
        "thresholds": {text: 0.25, "joy": 0.5},
        "per_label": {text: scores, "joy": scores},
        "examples": [{"text": text, "output": [{"label": text, "score": 0.5}, {"label": "joy", "score": 0.25}]}],
    }
    return StageCard(
        title="org/csr-emotion",
        kind="csr",
        stage="csr",
        starts_from={},
        base_models=[],
        encoder=text,
        labels=[text, "joy"],
        datasets=[CardDataset(text, None, text, "", {"train": 80, "dev": 15})],
        results=results,
        hyperparameters={"lr_scheduler_kwargs": {text: text}, "optim_args": text},
        versions={"torch": "2.6"},
        examples={text: text, "joy": text},
    )


def skeleton(text: str) -> list[str]:
    """The elements of a rendered card without what stands in them; code is not looked into."""
    return [token.type for token in markdown.parse(text) if token.type != "inline"] + [
        child.type
        for token in markdown.parse(text)
        for child in token.children or ()
        if child.type not in ("text", "text_special", "softbreak")
    ]


@pytest.mark.parametrize("text", NASTY)
def test_card_with_nasty_names(text: str, tmp_path: Path) -> None:
    nasty_card(text).save(tmp_path)
    content = (tmp_path / "README.md").read_text(encoding="utf-8")
    nasty_card("harmless").save(tmp_path / "harmless")
    harmless = ModelCard.load(tmp_path / "harmless" / "README.md")
    loaded = ModelCard.load(tmp_path / "README.md")

    # No element more or fewer than of harmless names.
    assert skeleton(loaded.text) == skeleton(harmless.text)
    cells = [token.children for token in markdown.parse(loaded.text) if token.type == "inline" and token.children]
    lines = ["".join(child.content for child in children) for children in cells]
    # The label, its example and that of joy; the dataset and its licence.
    assert lines.count(shown(text)) == 5
    assert f"Stage csr, built on the encoder {shown(text)}." in lines

    # The metadata have the same values, and end where they should.
    data = yaml.safe_load(content.split("\n---\n")[0].removeprefix("---\n"))
    assert data["widget"] == nasty_card(text).results["examples"]
    (index,) = data["model-index"]
    dataset = index["results"][0]["dataset"]
    assert dataset["name"] == text
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", dataset["type"])

    # The card can be merged, and nothing in it passes for a block.
    assert merge_cards(content, content) == content
    merged = ModelCard(merge_cards(content, str(harmless)))
    assert merged.text == harmless.text


def test_labels_of_several_lines_stay_in_the_metadata(tmp_path: Path) -> None:
    label = "two\n---\nlines\n"
    nasty_card(label).save(tmp_path)
    loaded = ModelCard.load(tmp_path / "README.md")
    assert loaded.data.to_dict()["widget"][0]["text"] == label
    assert loaded.text.lstrip().startswith("<!-- generated: model -->")


@pytest.mark.parametrize("theirs", ["1: x", "license: [mit", "- license", "just words", "2024-01-01: x"])
def test_metadata_that_are_not_those_of_a_card(theirs: str) -> None:
    with pytest.raises(ValueError, match="its metadata are not those of a card"):
        merge_cards(f"---\n{theirs}\n---\nMy words.\n", "---\nlicense: mit\n---\nOurs.\n")


def test_control_characters_and_half_characters_do_not_reach_the_file(tmp_path: Path) -> None:
    title = "joy\x00\x1b[31m\x9b\ud83d\x7f"
    StageCard(title=title, kind="csr", stage="csr", labels=["joy"], results={}).save(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "joy" in text and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
