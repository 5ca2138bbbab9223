"""An utterance and those before it as one text, for classifiers of single texts."""

from collections.abc import Sequence


def utterance_in_context(utterances: Sequence[tuple[str, str]], turns: int, separator: str = "[SEP]") -> str:
    """Join an utterance and those before it, as classifiers read them that were trained with `--context_turns`.

    The utterance comes first and the oldest last, so that a text that is too long loses its oldest part. Those before
    it are marked with a letter for their speaker: A is whoever speaks the utterance, B the latest other speaker and so
    on.

    Args:
        utterances (`Sequence[tuple[str, str]]`): Speaker and text of each utterance so far, in order; the last one is
            the one to classify. Speakers may have any names.
        turns (`int`): How many of those before it are read, at most: the `--context_turns` of the training.
        separator (`str`, defaults to `"[SEP]"`): The tokenizer's separator, `tokenizer.sep_token`.

    Returns:
        `str`: The text.

    Raises:
        ValueError: If there is no utterance, or `turns` is negative.

    Example:

    ```python
    >>> from modeling_csr import utterance_in_context

    >>> utterance_in_context([("Ana", "You had my keys all day?"), ("Ben", "I am so sorry.")], turns=2)
    'I am so sorry. [SEP] B: You had my keys all day?'
    ```
    """
    if not utterances or turns < 0:
        raise ValueError(f"Pass at least one utterance and at least 0 turns, got {len(utterances)} and {turns}.")
    *before, (speaker, text) = utterances
    letters = {speaker: "A"}
    parts = [text]
    for name, said in reversed(before[max(0, len(before) - turns) :]):
        letter = letters.setdefault(name, chr(ord("A") + len(letters)))
        parts.append(f"{letter}: {said}")
    return f" {separator} ".join(parts)


__all__ = ["utterance_in_context"]
