"""Models exported once serve batches of any size and texts of any length."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from tests.helpers.tiny_models import Tokens

FAMILIES = ("csr", "tokens", "multitask", "siamese", "dialogue")


class Reader(nn.Module):
    """A model of two positional inputs, which are what an export has."""

    def __init__(self, model: nn.Module, output: str) -> None:
        super().__init__()
        self.model, self.output = model, output

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask)[self.output]


@pytest.mark.parametrize("family", FAMILIES)
def test_batch_and_length_stay_free(
    csr: Callable, multitask: Callable, siamese: Callable, dialogue: Callable, tokens: Tokens, family: str
) -> None:
    model: Any = {
        "csr": csr,
        "tokens": lambda: csr(common_level="token"),
        "multitask": lambda: multitask("distilbert", tasks=("emotion", "sentiment")),
        "siamese": siamese,
        "dialogue": dialogue,
    }[family]()
    reader = Reader(model, "embeddings" if family == "siamese" else "logits").eval()
    batch, length = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("length", min=2, max=64)
    ids, mask = tokens["input_ids"], tokens["attention_mask"]
    axes = {0: batch, 1: length}
    exported = torch.export.export(
        reader, (ids, mask), dynamic_shapes={"input_ids": axes, "attention_mask": axes}
    ).module()
    for rows, columns in ((3, ids.shape[1]), (1, 5), (2, 9)):
        part = ids[:rows, :columns], mask[:rows, :columns]
        torch.testing.assert_close(exported(*part), reader(*part))
    many = ids.repeat(5, 2), mask.repeat(5, 2)
    torch.testing.assert_close(exported(*many), reader(*many))
