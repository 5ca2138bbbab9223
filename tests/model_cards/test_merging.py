"""A new card in the place of an old one: people's words stay, ours are renewed."""

from typing import Any

import pytest
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from model_cards.merging import merge_cards


def block(name: str, text: str) -> str:
    return f"<!-- generated: {name} -->\n{text}\n<!-- end of {name} -->"


def result(metric: str, value: float, dataset: str = "posts", **changes: Any) -> EvalResult:
    fields: dict[str, Any] = {
        "task_type": "text-classification",
        "dataset_type": dataset,
        "dataset_name": dataset,
        "dataset_split": "dev",
        "metric_type": metric,
        "metric_value": value,
    }
    return EvalResult(**fields | changes)


def card(*blocks: str, **data: Any) -> str:
    fields = ModelCardData(**{"license": "apache-2.0", "tags": ["emotion"], "model_name": "org/csr"} | data)
    return f"---\n{fields}\n---\n\n" + "\n\n".join(blocks) + "\n"


def text_of(content: str) -> str:
    return ModelCard(content).text.strip()


def results_of(content: str) -> dict[tuple[str, str], float]:
    found = ModelCard(content).data.eval_results or []
    return {(one.dataset_type, one.metric_type): one.metric_value for one in found}


NEW = card(block("model", "# New"), block("results", "| new |"), block("limits", "New limits."))


def test_text_around_blocks_is_kept() -> None:
    old = card(
        "A person's words before.",
        block("model", "# Old"),
        "Between, with a | pipe | and a \\1 backslash.\n\n```python\nprint(1)\n```",
        block("results", "| old |\n\nover\n\nlines"),
        block("limits", "Old limits."),
        "<!-- a comment of theirs -->\nAfter.",
    )
    assert text_of(merge_cards(old, NEW)) == "\n\n".join(
        [
            "A person's words before.",
            block("model", "# New"),
            "Between, with a | pipe | and a \\1 backslash.\n\n```python\nprint(1)\n```",
            block("results", "| new |"),
            block("limits", "New limits."),
            "<!-- a comment of theirs -->\nAfter.",
        ]
    )


def test_what_is_written_into_a_block_is_overwritten() -> None:
    old = card(block("model", "# New\n\nWritten in the wrong place."), block("results", ""), block("limits", ""))
    assert text_of(merge_cards(old, NEW)) == text_of(NEW)


def test_text_of_the_new_card_is_taken_literally() -> None:
    """Group references of regular expressions, for example."""
    new = card(block("model", r"\1 \g<name> \n {{ x }} $1"))
    assert text_of(merge_cards(card(block("model", "old")), new)) == text_of(new)


def test_missing_blocks_come_after_their_predecessors() -> None:
    """A person's order of blocks stays."""
    old = card("Mine.", block("limits", "Old."), "Also mine.", block("model", "Old."), "The end.")
    assert text_of(merge_cards(old, NEW)) == "\n\n".join(
        [
            "Mine.",
            block("limits", "New limits."),
            "Also mine.",
            block("model", "# New"),
            block("results", "| new |"),
            "The end.",
        ]
    )


def test_missing_first_block_comes_first() -> None:
    merged = text_of(merge_cards(card("Mine.", block("results", "Old."), block("limits", "Old.")), NEW))
    assert merged.startswith(block("model", "# New")) and merged.count("<!-- generated: model -->") == 1
    assert merged.index("# New") < merged.index("Mine.") < merged.index("| new |")


def test_blocks_that_are_no_longer_made_go() -> None:
    old = card(block("model", "Old."), block("former", "Of an earlier version."), "Mine.")
    merged = text_of(merge_cards(old, NEW))
    assert "former" not in merged and "earlier" not in merged and merged.endswith("Mine.")


def test_own_card_without_blocks_stays_below_ours() -> None:
    old = "---\nlicense: mit\n---\n\n# My model\n\nMine.\n"
    merged = merge_cards(old, NEW)
    assert text_of(merged) == f"{text_of(NEW)}\n\n# My model\n\nMine."
    assert ModelCard(merged).data.license == "apache-2.0"


@pytest.mark.parametrize("old", ["", "\n", "---\nlicense: mit\n---\n"])
def test_empty_card_becomes_ours(old: str) -> None:
    assert text_of(merge_cards(old, NEW)) == text_of(NEW)


def test_card_without_metadata_gets_ours() -> None:
    merged = ModelCard(merge_cards("Mine.\n", NEW))
    assert merged.data.to_dict() == ModelCard(NEW).data.to_dict()
    assert merged.text.strip().endswith("Mine.")


def test_metadata() -> None:
    old = card(
        license="mit",
        tags=["mine", "emotion"],
        language="de",
        extra_gated_prompt="Please say who you are.",
        thumbnail="https://example.org/a.png",
        inference={"parameters": {"top_k": 3}},
    )
    new = card(tags=["emotion", "csr-emotion"], language="en", base_model=["org/encoder"])
    data = ModelCard(merge_cards(old, new)).data.to_dict()
    # Ours wins; tags are joined; keys that only people wrote stay.
    assert data["license"] == "apache-2.0" and data["language"] == "en" and data["base_model"] == ["org/encoder"]
    assert data["tags"] == ["emotion", "csr-emotion", "mine"]
    assert data["extra_gated_prompt"] == "Please say who you are."
    assert data["thumbnail"] == "https://example.org/a.png"
    assert data["inference"] == {"parameters": {"top_k": 3}}


def test_results_of_others_stay_and_ours_are_renewed() -> None:
    old = card(
        eval_results=[
            result("jaccard", 0.5),
            result("macro_f1", 0.4),
            result("jaccard", 0.3, "org/their-data"),
            result("jaccard", 0.2, dataset_split="test"),
            result("bleu", 0.1),
        ],
    )
    new = card(eval_results=[result("jaccard", 0.6), result("macro_f1", 0.55)])
    merged = merge_cards(old, new)
    found = ModelCard(merged).data.eval_results
    assert found is not None
    assert sorted((one.metric_type, one.dataset_type, one.dataset_split, one.metric_value) for one in found) == [
        ("bleu", "posts", "dev", 0.1),
        ("jaccard", "org/their-data", "dev", 0.3),
        ("jaccard", "posts", "dev", 0.6),
        ("jaccard", "posts", "test", 0.2),
        ("macro_f1", "posts", "dev", 0.55),
    ]


def test_results_of_others_stay_where_we_have_none() -> None:
    old = card(eval_results=[result("jaccard", 0.3, "theirs")], model_name="theirs")
    merged = ModelCard(merge_cards(old, card(model_name=None)))
    assert results_of(str(merged)) == {("theirs", "jaccard"): 0.3}
    assert merged.data.model_name == "theirs"
    # And where they have none, ours.
    assert results_of(merge_cards(card(), card(eval_results=[result("jaccard", 0.6)]))) == {("posts", "jaccard"): 0.6}


def test_broken_results_of_others_do_not_stop_us() -> None:
    old = "---\nlicense: mit\nmodel-index:\n- name: x\n  results: nothing\n---\n\nMine.\n"
    merged = merge_cards(old, card(block("model", "# New"), eval_results=[result("jaccard", 0.6)]))
    assert results_of(merged) == {("posts", "jaccard"): 0.6} and "Mine." in merged


@pytest.mark.parametrize(
    "old",
    [
        card(
            "Before.", block("model", "Old."), "After.", tags=["mine"], eval_results=[result("bleu", 0.1)], a={"b": 1}
        ),
        card("Mine."),
        "Mine.",
        NEW,
    ],
)
def test_merging_twice_is_merging_once(old: str) -> None:
    new = card(block("model", "# New"), block("results", "| new |"), eval_results=[result("jaccard", 0.6)])
    once = merge_cards(old, new)
    assert merge_cards(once, new) == once


def test_merging_a_card_with_itself_changes_nothing() -> None:
    assert merge_cards(NEW, NEW) == NEW
