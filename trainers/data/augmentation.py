"""More training texts for rare labels: copies with typing and spelling errors, made by nlpaug."""

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import datasets
import numpy as np

from .task_dataset import TaskDataset

# The augmentations of nlpaug that need no download.
AUGMENTATIONS = ("swap", "delete", "spelling", "keyboard")
# Largest share of a text's words to change; and how often to retry when a copy comes out unchanged.
_SHARE = 0.15
_ATTEMPTS = 5


def augment_rare_labels(dataset: TaskDataset, target: int, augmentations: Sequence[str], seed: int) -> TaskDataset:
    """Add changed copies of training texts until each label has `target` of them.

    Starting with the rarest label, its texts are copied in turn, in random order; a copy has all the labels of its text
    and counts towards each of them. Copies that equal a training text are discarded, so a label whose texts are too
    short to change may fall short of the target. Dev and test are unchanged.

    Args:
        dataset ([`TaskDataset`]): Multi-label or single-label data.
        target (`int`): Number of training texts that each label should have.
        augmentations (`Sequence[str]`): Some of `AUGMENTATIONS`, of which each copy gets one at random: two
            neighbouring words swapped, words deleted, common misspellings, or neighbouring keys hit.
        seed (`int`): The copies are the same for the same seed.

    Returns:
        `TaskDataset`, with a note on the number of copies.

    Raises:
        ModuleNotFoundError: If nlpaug is not installed.
        ValueError: If a kind of augmentation is unknown, or there is none.
    """
    check_augmentations(augmentations)
    train = dataset.splits["train"]
    texts = list(train["text"])
    targets = np.asarray(train["labels"])
    has_label = (
        np.nan_to_num(targets).astype(bool) if targets.ndim == 2 else targets[:, None] == np.arange(len(dataset.labels))
    )
    before = has_label.sum(axis=0)
    counts, seen = before.copy(), set(texts)
    copies: list[str] = []
    copied: list[int] = []
    with _seeded(seed):
        augmenters = [_augmenter(name) for name in augmentations]
        for label in np.argsort(before, kind="stable"):
            rows = np.flatnonzero(has_label[:, label]).tolist()
            found = -1
            # After a whole round without a new copy there are none to be had.
            while counts[label] < target and found:
                random.shuffle(rows)
                found = 0
                for row in rows:
                    copy = _new_copy(texts[row], augmenters, seen) if counts[label] < target else None
                    if copy is not None:
                        found += 1
                        seen.add(copy)
                        copies.append(copy)
                        copied.append(row)
                        counts += has_label[row]
    if not copies:
        return dataset
    further = {column: train[column][:] for column in train.column_names if column != "text"}
    columns = {column: [*values, *(values[row] for row in copied)] for column, values in further.items()}
    splits = datasets.DatasetDict(dataset.splits)
    splits["train"] = datasets.Dataset.from_dict({"text": texts + copies, **columns}, features=train.features)
    grown = ", ".join(
        f"{name} from {old} to {new}"
        for name, old, new in zip(dataset.labels, before, counts, strict=True)
        if new > old
    )
    note = (
        f"{len(copies)} of the training texts are changed copies ({', '.join(augmentations)}, by nlpaug) of texts with "
        f"rare labels: {grown}."
    )
    return dataclasses.replace(dataset, splits=splits, notes=[*dataset.notes, note])


def check_augmentations(augmentations: Sequence[str]) -> None:
    """Raise what [`augment_rare_labels`] raises."""
    unknown = [name for name in augmentations if name not in AUGMENTATIONS]
    if unknown or not augmentations:
        raise ValueError(f"--augmentations {' '.join(augmentations)}: give one or more of {', '.join(AUGMENTATIONS)}.")
    if find_spec("nlpaug") is None:
        raise ModuleNotFoundError("--augment_rare needs nlpaug: pip install 'csr-emotion[search]'.")


def _augmenter(name: str) -> Callable[[str], str]:
    # Imported here, since nlpaug comes with the search extra.
    import nlpaug.augmenter.char as nac
    import nlpaug.augmenter.word as naw

    augmenter: Any
    if name == "keyboard":
        augmenter = nac.KeyboardAug(aug_word_p=_SHARE, aug_char_p=0.1, include_special_char=False)
    elif name == "spelling":
        augmenter = naw.SpellingAug(aug_p=_SHARE, include_reverse=False)
        for misspellings in augmenter.model.dict.values():
            # They come from a set, whose order differs between processes.
            misspellings.sort()
    else:
        augmenter = naw.RandomWordAug(action=name, aug_p=_SHARE)
    # It returns a list of one, or an empty list for a text that it cannot change.
    return lambda text: (augmenter.augment(text) or [text])[0]


def _new_copy(text: str, augmenters: Sequence[Callable[[str], str]], seen: set[str]) -> str | None:
    for _ in range(_ATTEMPTS):
        copy = random.choice(augmenters)(text)
        if copy.strip() and copy not in seen:
            return copy
    return None


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global random states that nlpaug draws from, and restore them afterwards."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


__all__ = ["AUGMENTATIONS", "augment_rare_labels", "check_augmentations"]
