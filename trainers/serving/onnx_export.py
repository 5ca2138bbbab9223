"""Classifiers as ONNX files, for any batch size and length, and whether they compute what torch does."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from modeling_csr import readable_positions

# Largest difference of a logit, relative to the largest logit where that is above 1.
TOLERANCE = 1e-4
BATCH_SIZES = (1, 2, 5)
# Without a text of its own, the comparison reads the first words of this one, over and over.
WORDS = "We waited for hours in the rain, and when the doors opened at last I could have cried for joy! 😂 @user #late"


class _Logits(nn.Module):
    """A classifier with positional inputs and one output. `torch.export` would expand `**kwargs`, and the outputs of
    `csr-multitask` are nested, which transformers' own exporter refuses."""

    def __init__(self, model: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, list(names)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.model(**dict(zip(self.names, inputs, strict=True)))["logits"]


def write_onnx(model: Any, tokenizer: Any, path: Path) -> None:
    """Write a classifier as one ONNX file, with the tokenizer's inputs and the output `logits`.

    Args:
        model (`PreTrainedModel`): A sequence classifier on the CPU, in fp32.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        path (`Path`): The file.

    Raises:
        ValueError: If the model cannot be exported.
    """
    limit = text_limit(tokenizer, model)
    example = tokenizer([WORDS, WORDS[:30]], padding=True, truncation=True, max_length=limit, return_tensors="pt")
    names = list(example)
    axes = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("length", min=2)}
    with quiet_tools(), torch.no_grad():
        try:
            program: Any = torch.onnx.export(
                _Logits(model.eval(), names),
                tuple(example[name] for name in names),
                dynamo=True,
                input_names=names,
                output_names=["logits"],
                dynamic_shapes=((axes,) * len(names),),
                verbose=False,
            )
        except Exception as error:  # each part of the exporter has errors of its own
            reason = str(error.__cause__ or error).strip().partition("\n")[0]
            raise ValueError(f"{type(model).__name__} cannot be exported to ONNX: {reason}") from error
    # Inside the file: Transformers.js would have to be told of weights beside it.
    program.save(path, external_data=False)


@contextmanager
def quiet_tools() -> Iterator[None]:
    """Keep the exporter and the quantiser from reporting on their own insides, of which users can change nothing."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def check_logits(model: Any, tokenizer: Any, exported: nn.Module, texts: Sequence[str] = ()) -> float:
    """Compare an exported classifier with the model, in batches of several sizes and lengths.

    Args:
        model (`PreTrainedModel`): The model.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        exported (`nn.Module`): The exported classifier, such as an [`~modeling_csr.OnnxClassifier`].
        texts (`Sequence[str]`, *optional*): Texts to read besides those that the function makes up.

    Returns:
        `float`: The largest difference between two logits.

    Raises:
        ValueError: If it is above [`TOLERANCE`].
    """
    limit = text_limit(tokenizer, model)
    words = WORDS.split()
    made_up = [" ".join((words * (limit // len(words) + 1))[:count]) for count in (1, 2, 7, 20, 60, limit)]
    largest, scale = 0.0, 1.0
    for size in BATCH_SIZES:
        for rows in _batches([*made_up, *texts], size):
            batch = tokenizer(rows, padding=True, truncation=True, max_length=limit, return_tensors="pt")
            with torch.inference_mode():
                expected = model(**batch)["logits"].numpy()
            found = exported(**batch)["logits"].numpy()
            largest = max(largest, float(np.abs(found - expected).max(initial=0.0)))
            scale = max(scale, float(np.abs(expected).max()))
            # Said this way round, since nothing is above what is not a number.
            if not (found.shape == expected.shape and largest <= TOLERANCE * scale):
                raise ValueError(
                    f"{type(exported).__name__} does not compute what the model does: with {size} texts of "
                    f"{rows[0][:40]!r}... logits differ by {largest:.2g} (at most {TOLERANCE * scale:.2g} is "
                    "rounding). Nothing is kept."
                )
    return largest


def _batches(texts: Sequence[str], size: int) -> list[list[str]]:
    return [list(texts[start : start + size]) for start in range(0, len(texts), size)]


def text_limit(tokenizer: Any, model: nn.Module) -> int:
    """Number of tokens that a model can read, and at most 512 where there is no limit."""
    limit = min(tokenizer.model_max_length, readable_positions(model))
    return int(limit) if limit < 10**6 else 512
