"""The result of a cross-validation, for people: a page, a figure and JSON."""

from dataclasses import asdict
from pathlib import Path

from model_cards import plot_growth

from ...data import write_json
from ..markdown import markdown_table, verbatim_markdown
from .cross_validation import FOLDS, CrossValidation, Estimate


def save_cross_validation(found: CrossValidation, folder: Path, encoder: str) -> str:
    """Write a cross-validation as `cross_validation.md`, `cross_validation.json` and `learning_curve.png`.

    Args:
        found ([`CrossValidation`]): The result.
        folder (`Path`): Folder to write to.
        encoder (`str`): Name of what made the vectors.

    Returns:
        `str`: The contents of `cross_validation.md`.
    """
    metrics = list(found.curves)
    first = found.curves[metrics[0]]
    sizes = [*first.texts, found.texts, found.texts + found.further]
    rows = []
    for number, size in enumerate(sizes):
        points = [[*curve.scores, curve.now, curve.later][number] for curve in found.curves.values()]
        rows.append([f"{size:,}", "scored" if number < len(first.texts) else "predicted", *map(_written, points)])
    gains = [f"+{found.further:,}", "predicted gain", *(_written(curve.gain) for curve in found.curves.values())]
    labels = [
        [verbatim_markdown(label), f"{found.counts[label]:,}", _written(f1)] for label, f1 in found.per_label.items()
    ]
    texts = [
        f"{verbatim_markdown(found.name)}: {found.texts:,} labelled texts. A logistic regression on the frozen vectors "
        f"of {verbatim_markdown(encoder)}, {FOLDS} folds: every text is decided on by one that was fitted without it. "
        "Scores x 100 with 95 % intervals (bootstrap over texts). A model whose encoder is trained, too, scores "
        "differently.",
        markdown_table(["training texts", "", *(name.replace("_", " ") for name in metrics)], [*rows, gains]),
        "Predicted is what a power law, fitted to the scores, says of more texts of the same kind, labelled as well.",
        markdown_table(["label", "texts", "F1"], labels),
        _advice(found),
    ]
    text = "\n\n".join(texts) + "\n"
    drawn = {
        metric: [
            (size, one.value, one.low, one.high)
            for size, one in zip(sizes, [*curve.scores, curve.now, curve.later], strict=True)
        ]
        for metric, curve in found.curves.items()
    }
    write_json(folder / "cross_validation.json", {"encoder": encoder, **asdict(found)})
    (folder / "cross_validation.md").write_text(text, encoding="utf-8")
    plot_growth(drawn, folder / "learning_curve.png", len(first.texts))
    return text


def _advice(found: CrossValidation) -> str:
    """What the curve says, in a sentence."""
    curve = found.curves["macro_f1"]
    gain = curve.gain
    weakest = sorted(found.per_label, key=lambda label: found.per_label[label].value)[:2]
    return (
        f"The next {found.further:,} labels are likely to bring {100 * gain.value:.1f} points of macro F1 "
        f"({100 * gain.low:.1f} to {100 * gain.high:.1f}). Weakest are "
        f"{' and '.join(verbatim_markdown(label) for label in weakest)}."
    )


def _written(one: Estimate) -> str:
    return f"{100 * one.value:.1f} ({100 * one.low:.1f} to {100 * one.high:.1f})"


__all__ = ["save_cross_validation"]
