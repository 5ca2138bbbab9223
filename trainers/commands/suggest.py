"""`csr-emotion suggest`: the unlabelled texts worth labelling next."""

import argparse
import csv
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import text_sources
from ..experiments import Suggestion, encoder_vectors, suggest_texts
from ..loop import resolve_encoder
from ..runs import check_ranges
from ..serving import Scorer, read_texts
from .evaluate import check_output_file
from .terminal import BAD_INPUT, exit_on, set_up_logging

DESCRIPTION = (
    "Choose unlabelled texts to label next: those that a model is unsure of and that are unlike each other. Of "
    "near-duplicates, one is chosen."
)

logger = logging.getLogger(__name__)


def suggestion_parser() -> argparse.ArgumentParser:
    """Parser of the command's options."""
    parser = argparse.ArgumentParser(
        "csr-emotion suggest",
        description=DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "input",
        metavar="UNLABELLED",
        help="A CSV, TSV, JSON, JSON Lines, Parquet or text file, a folder or a quoted pattern of such, or a dataset.",
    )
    parser.add_argument("--model", required=True, help="Hub id or folder of the classifier that was trained so far.")
    parser.add_argument(
        "--encoder", help="Text encoder whose vectors say which texts are alike (default: the model itself)."
    )
    parser.add_argument("--output_file", required=True, help="CSV file to write.")
    parser.add_argument("--number", type=int, default=50, help="How many texts to choose.")
    parser.add_argument("--id_column", help="Column of the ids (default: the number of the row).")
    parser.add_argument("--text_column", default="text", help="Column of the texts.")
    parser.add_argument("--split", help="Split of a dataset (default: all).")
    parser.add_argument("--seed", type=int, default=42, help="Seed of the clusters.")
    parser.add_argument("--trust_remote_code", action="store_true", help="Run the code in the model's repository.")
    return parser


def run_suggestion(argv: Sequence[str]) -> list[dict[str, Any]]:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.

    Returns:
        `list[dict]`: The rows of the CSV file.
    """
    args = suggestion_parser().parse_args(list(argv))
    set_up_logging()
    with exit_on("csr-emotion suggest", *BAD_INPUT):
        check_ranges(vars(args))
        check_output_file(args.output_file)
        ids, texts = read_texts(text_sources(args.input, args.split), args.text_column, args.id_column)
        scorer = Scorer(args.model, vectors=args.encoder is None, trust_remote_code=args.trust_remote_code)
        if scorer.problem_type == "regression":
            raise ValueError(f"{args.model} predicts numbers; this is for classifiers.")
        scored = scorer.score(texts)
        scores = np.stack([scored[f"score_{label}"].to_numpy() for label in scorer.labels], axis=1)
        if args.encoder is None:
            vectors = np.stack(scored["vector"].to_numpy())
        else:
            vectors = encoder_vectors(resolve_encoder(args.encoder), texts)
        several = scorer.problem_type == "multi_label_classification"
        chosen = suggest_texts(texts, scores, vectors, scorer.labels, several, args.number, args.seed)
        rows = [_row(ids, texts, scores, scorer.labels, one) for one in chosen]
        with Path(args.output_file).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    if len(rows) < args.number:
        logger.warning("Only %d of the texts are different enough to be chosen, not %d.", len(rows), args.number)
    print(f"{args.output_file} has {len(rows)} of {len(texts):,} texts to label next.")
    return rows


def _row(
    ids: Sequence[Any], texts: Sequence[str], scores: np.ndarray, labels: Sequence[str], one: Suggestion
) -> dict[str, Any]:
    by_label = {f"score_{label}": round(float(score), 4) for label, score in zip(labels, scores[one.row], strict=True)}
    own = {"id": ids[one.row], "text": texts[one.row], "uncertainty": round(one.uncertainty, 4)}
    return {**own, **by_label, "reason": one.reason}


__all__ = ["run_suggestion", "suggestion_parser"]
