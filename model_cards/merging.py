"""A new card in the place of an old one, without losing what people wrote into the old one.

The generated text of a card stands between comments, `<!-- generated: NAME -->` and `<!-- end of NAME -->`. What stands
outside of them belongs to people.
"""

import re
from typing import cast

from huggingface_hub import EvalResult, ModelCard, ModelCardData

_BLOCK = re.compile(r"<!-- generated: (?P<name>[\w-]+) -->.*?<!-- end of (?P=name) -->", re.DOTALL)


def merge_cards(old: str, new: str) -> str:
    """The new card's generated parts in the old card.

    Metadata: the new card's keys win, tags are joined, and results that only the old one has are kept. A block that
    the old card lacks comes after the block that stands before it in the new one.

    Args:
        old (`str`): The card that is there, `README.md` with its metadata.
        new (`str`): The generated one.

    Returns:
        `str`: The merged card.
    """
    before, after = ModelCard(old, ignore_metadata_errors=True), ModelCard(new)
    after.text = _merge_texts(before.text, after.text)
    after.data = _merge_data(cast(ModelCardData, before.data), cast(ModelCardData, after.data))
    return str(after)


def _merge_texts(old: str, new: str) -> str:
    blocks = {match["name"]: match[0] for match in _BLOCK.finditer(new)}
    if not _BLOCK.search(old):
        # Somebody's own card: ours comes before it.
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
    """What tells results of a card apart: the dataset and the metric, not the value."""
    return (*result.unique_identifier, result.metric_type, result.metric_config)
