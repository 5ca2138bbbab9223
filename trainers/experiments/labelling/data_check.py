"""What to look at in labelled data before anything is trained on them."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from .doubtful_labels import FEWEST, doubtful_labels
from .frozen_classifier import out_of_fold
from .labelled_texts import LabelledTexts
from .repeats import near_duplicates, same_texts

# What is looked for, in the order in which it is shown, and what to do about it.
PROBLEMS = {
    "in train and dev": "take them out of one of the two: a score on texts that were learnt is too high",
    "contradiction": "give the same text the same labels",
    "likely wrong label": "read them again; many are right, and the classifier is wrong",
    "repeat": "keep one of each, unless people do write the same",
    "near-duplicate": "keep one of each, or at least all of them in the same split",
    "rare label": "label more of these, or leave the label out",
}
# With fewer texts, a label can hardly be learnt, and not be measured.
RARE = 10
FOLDS = 5
# Share of the texts that may be called doubtful. A classifier of few texts is wrong more often than the labels are.
MOST_DOUBTFUL = 0.1


@dataclass(frozen=True)
class Finding:
    """
    A text, or a label, to look at.

    Args:
        problem (`str`): One of [`PROBLEMS`].
        split (`str`): The split of the text.
        row (`int`, *optional*): Its number in the split, from 1; `None` for a rare label.
        text (`str`): The text.
        given (`str`): Its labels, with `", "` between them.
        suggested (`str`): What they should be, as far as that can be said.
        score (`float`, *optional*): How likely the given labels are right, the similarity of near-duplicates, or the
            number of texts of a rare label.
        reason (`str`): Why, in words.
    """

    problem: str
    split: str
    row: int | None
    text: str
    given: str
    suggested: str
    score: float | None
    reason: str


def check_labels(data: LabelledTexts, vectors: np.ndarray, seed: int = 42) -> list[Finding]:
    """Look for labels that are likely wrong, repeated texts, contradictions and rare labels.

    A label is likely wrong if cleanlab says so ([`doubtful_labels`]) of the probabilities that a logistic regression on
    the vectors has for it, in five folds that no text is in twice. The most doubtful are kept, at most a tenth of all
    texts.

    Args:
        data ([`LabelledTexts`]): The texts.
        vectors (`np.ndarray` of shape `(texts, size)`): Their vectors, by an encoder that has not learnt from their
            labels.
        seed (`int`, defaults to 42): Seed of the folds.

    Returns:
        `list[Finding]`: In the order of [`PROBLEMS`], and for each of these the most important first.

    Raises:
        ValueError: If there are fewer than five different texts.
    """
    found = [*_repeats(data), *_doubts(data, vectors, seed), *_rare(data)]
    return sorted(found, key=lambda one: list(PROBLEMS).index(one.problem))


def _finding(
    data: LabelledTexts, problem: str, row: int, reason: str, suggested: str = "", score: float | None = None
) -> Finding:
    place = (data.splits[row], data.rows[row], data.texts[row], ", ".join(data.names(row)))
    return Finding(problem, *place, suggested, None if score is None else round(score, 3), reason)


def _repeats(data: LabelledTexts) -> Iterator[Finding]:
    same = same_texts(data.texts)
    for rows in same:
        if len(rows) == 1:
            continue
        labels = {row: tuple(data.names(row)) for row in rows}
        (most, times), *others = Counter(labels.values()).most_common()
        majority = (", ".join(most) or "no label") if others and times > others[0][1] else ""
        for row in rows:
            rest = [other for other in rows if other != row]
            reason = "the same text as " + ", ".join(_place(data, other, row) for other in rest[:3])
            if len({data.splits[one] for one in rows}) > 1:
                yield _finding(data, "in train and dev", row, reason)
            elif not others:
                yield _finding(data, "repeat", row, reason)
            if others:
                yield _finding(data, "contradiction", row, reason, majority)
    # Of texts that are the same, one is compared with all others.
    first = [rows[0] for rows in same]
    near = near_duplicates([data.texts[row] for row in first])
    for index in np.argsort(-near.similarity, kind="stable"):
        if near.closest[index] >= 0:
            row, other = first[index], first[near.closest[index]]
            reason = f"nearly the text of {_place(data, other, row)}: {_short(data.texts[other])}"
            yield _finding(data, "near-duplicate", row, reason, score=float(near.similarity[index]))


def _place(data: LabelledTexts, row: int, seen_from: int) -> str:
    """Where a text stands, and its labels if they are others than those of the text that is spoken of."""
    labels = data.names(row)
    given = "" if labels == data.names(seen_from) else f" ({', '.join(labels) or 'no label'})"
    return f"{data.splits[row]} row {data.rows[row]}{given}"


def _doubts(data: LabelledTexts, vectors: np.ndarray, seed: int) -> Iterator[Finding]:
    probabilities = out_of_fold(vectors, data.targets, data.folds(FOLDS, seed), len(data.labels))
    doubtful = doubtful_labels(data.targets, probabilities)
    for one in doubtful[: max(1, round(MOST_DOUBTFUL * len(data.texts)))]:
        given = set(data.names(one.row))
        reason = ", ".join(
            f"{data.labels[label]} {'is' if data.labels[label] in given else 'is not'} given and has {100 * p:.0f} %"
            for label, p in one.doubts.items()
        )
        suggested = ", ".join(data.labels[label] for label in one.suggested)
        yield _finding(data, "likely wrong label", one.row, reason, suggested or "no label", one.score)


def _rare(data: LabelledTexts) -> Iterator[Finding]:
    for label, count in sorted(zip(data.labels, data.counts().tolist(), strict=True), key=lambda one: one[1]):
        if count < RARE:
            reason = f"{count} of {len(data.texts)} texts have it"
            if count < FEWEST:
                reason += ", too few to say whether it is wrong anywhere"
            yield Finding("rare label", "", None, "", label, "", count, reason)


def _short(text: str, length: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def write_findings(findings: Sequence[Finding], path: Path) -> None:
    """Write findings as CSV, a column for each field of [`Finding`]."""
    names = [field.name for field in fields(Finding)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(
            [["" if (value := getattr(one, name)) is None else value for name in names] for one in findings]
        )


__all__ = ["FOLDS", "MOST_DOUBTFUL", "PROBLEMS", "RARE", "Finding", "check_labels", "write_findings"]
