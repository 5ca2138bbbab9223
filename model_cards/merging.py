"""Updating a card without losing what people wrote in it.

Generated text is enclosed in comments, `<!-- generated: NAME -->` and `<!-- end of NAME -->`. Everything else belongs
to people.
"""

import re
from typing import cast

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData

_BLOCK = re.compile(r"<!-- generated: (?P<name>[\w-]+) -->.*?<!-- end of (?P=name) -->", re.DOTALL)


def merge_cards(old: str, new: str) -> str:
    """Update the generated parts of a card.

    In the metadata, keys of the new card win, tags are combined, and results that only the old card has are kept. A
    block missing from the old card is inserted after the block that precedes it in the new one.

    Args:
        old (`str`): The existing `README.md`, with metadata.
        new (`str`): The newly generated one.

    Returns:
        `str`: The merged card.

    Raises:
        ValueError: If the existing card has metadata that are not those of a card.
    """
    try:
        before = ModelCard(old, ignore_metadata_errors=True)
        after = ModelCard(new)
        after.data = _merge_data(cast(ModelCardData, before.data), cast(ModelCardData, after.data))
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"its metadata are not those of a card: {error}") from error
    after.text = _merge_texts(before.text, after.text)
    return str(after)


def _merge_texts(old: str, new: str) -> str:
    blocks = {match["name"]: match[0] for match in _BLOCK.finditer(new)}
    if not _BLOCK.search(old):
        # A card written by hand: ours goes in front of it.
        return f"{new.rstrip()}\n\n{old.strip()}\n" if old.strip() else new
    merged = _BLOCK.sub(lambda match: blocks.get(match["name"], ""), old)
    last = None
    for name, block in blocks.items():
        if block not in merged:
            end = merged.index(f"<!-- end of {last} -->") + len(f"<!-- end of {last} -->") if last else 0
            merged = f"{merged[:end]}\n\n{block}{merged[end:]}"
        last = name
    return merged


def _merge_data(old: ModelCardData, new: ModelCardData) -> ModelCardData:
    merged = ModelCardData(**{**old.to_dict(), **new.to_dict()})
    merged.tags = list(dict.fromkeys([*(new.tags or []), *(old.tags or [])])) or None
    ours = {_key(result) for result in new.eval_results or []}
    others = [result for result in old.eval_results or [] if _key(result) not in ours]
    if ours or others:
        merged.model_name = new.model_name or old.model_name
        merged.eval_results = [*(new.eval_results or []), *others]
    return merged


def _key(result: EvalResult) -> tuple:
    """Identifies a result on a card by dataset and metric, regardless of its value."""
    return (*result.unique_identifier, result.metric_type, result.metric_config)
