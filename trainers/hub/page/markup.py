"""HTML for what is found. Whatever comes from a text, a label or a post is escaped here."""

from collections.abc import Sequence
from html import escape

import numpy as np
from attribution import Attribution
from neighbours import Post
from talk import Talk


def bars(
    labels: Sequence[str], scores: np.ndarray, decided: np.ndarray, thresholds: Sequence[float] | None = None
) -> str:
    """A table of labels from probable to improbable, each with its bar, its threshold on it, and both as numbers.

    Args:
        labels (`Sequence[str]`): The labels.
        scores (`np.ndarray` of shape `(labels,)`): Their probabilities.
        decided (`np.ndarray` of shape `(labels,)`): Which of them hold.
        thresholds (`Sequence[float]`, *optional*): From which probability on each holds.
    """
    rows = []
    for index in np.argsort(-scores, kind="stable"):
        tick, threshold = "", ""
        if thresholds is not None:
            tick = f'<i class="tick" style="left:{100 * thresholds[index]:.1f}%"></i>'
            threshold = f"<td>{100 * thresholds[index]:.0f} %</td>"
        rows.append(
            f'<tr class="{"found" if decided[index] else "missed"}">'
            f'<th scope="row"><span class="sign">{"✓" if decided[index] else ""}</span>{escape(labels[index])}</th>'
            '<td class="track" aria-hidden="true">'
            f'<div><b style="width:{100 * scores[index]:.1f}%"></b>{tick}</div></td>'
            f"<td>{100 * scores[index]:.0f} %</td>{threshold}</tr>"
        )
    last = "" if thresholds is None else '<th scope="col">Threshold</th>'
    found = ", ".join(escape(label) for label, holds in zip(labels, decided, strict=True) if holds)
    return (
        f'<p class="verdict"><strong>{found or "No label reaches its threshold."}</strong></p>'
        '<table class="bars"><thead><tr><th scope="col">Label</th><td aria-hidden="true"></td>'
        f'<th scope="col">Probability</th>{last}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def words(attribution: Attribution, label: str, index: int) -> str:
    """The text, each word on blue or orange with the percentage points that it contributes to a label."""
    if not attribution.spans:
        return '<p class="note">A single word: without it nothing is left to compare with.</p>'
    points = 100 * attribution.contributions[:, index]
    strongest = max(np.abs(points).max(), 1.0)
    parts, end = [], 0
    for (start, stop), value in zip(attribution.spans, points, strict=True):
        parts.append(escape(attribution.text[end:start]))
        # A minus as wide as the plus. What rounds to 0 is left uncoloured.
        number = f"{value:+.0f}".replace("-", "−")
        word, end = escape(attribution.text[start:stop]), stop
        if number in ("+0", "−0"):
            parts.append(f"<span>{word}</span>")
        else:
            strength = f"{10 + 40 * abs(value) / strongest:.0f}%"
            kind = "for" if value > 0 else "against"
            parts.append(f'<mark class="{kind}" style="--strength:{strength}">{word}<sub>{number}</sub></mark>')
    return (
        f'<p class="words">{"".join(parts)}{escape(attribution.text[end:])}</p>'
        f'<p class="note"><mark class="for">blue <sub>+9</sub></mark> without it, <em>{escape(label)}</em> would be 9 '
        'points less probable; <mark class="against">orange <sub>−9</sub></mark> 9 points more. The numbers do not '
        "add up to the probability.</p>"
    )


def neighbours(found: Sequence[tuple[Post, float]]) -> str:
    """A list of posts, each with its labels and its cosine."""
    items = "".join(
        f'<li><q>{escape(post.text)}</q><p class="note">{escape(", ".join(post.labels)) or "no label"} '
        f"· cosine {cosine:.2f}</p></li>"
        for post, cosine in found
    )
    return f'<ol class="posts">{items}</ol>'


def conversation(talk: Talk) -> str:
    """The lines of a conversation, each with its speaker and, for each model, the labels that hold."""
    several = len(talk.classifiers) > 1
    items = []
    for line in talk.lines:
        verdicts = []
        for classifier, scores in zip(talk.classifiers, line.scores, strict=True):
            decided = np.flatnonzero(classifier.decide(scores))
            best = sorted(decided, key=lambda index: -scores[index])
            found = ", ".join(f"<strong>{escape(classifier.labels[i])}</strong> {100 * scores[i]:.0f} %" for i in best)
            owner = f"{escape(classifier.title)}: " if several else ""
            verdicts.append(f'<p class="note">{owner}{found or "no label reaches its threshold"}</p>')
        items.append(f"<li><b>{escape(line.speaker)}</b> <q>{escape(line.text)}</q>{''.join(verdicts)}</li>")
    return f'<ol class="posts talk">{"".join(items)}</ol>'


def status(message: str, kind: str) -> str:
    """A message on what was done, or why it was not, which screen readers speak."""
    return f'<p role="status" class="{kind}">{escape(message)}</p>'


def note(text: str) -> str:
    """A remark in plain text."""
    return f'<p class="note">{escape(text)}</p>' if text else ""
