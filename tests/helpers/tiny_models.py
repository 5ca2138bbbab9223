"""What the tests of the model families share: names, freezing and gradients, and saving with a tokenizer."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from transformers import AutoTokenizer, PreTrainedModel

MODEL_TYPES = ("bert", "roberta", "distilbert", "mpnet", "modernbert", "electra")
# The loading info of a model of which nothing is missing or left over.
EMPTY = {"missing_keys": set(), "unexpected_keys": set(), "mismatched_keys": set(), "error_msgs": []}
Tokens = dict[str, torch.Tensor]

# For a fresh process: import the package if the first argument is "package"; otherwise it must not be importable.
IMPORT_PACKAGE_OR_NOT = """
import json, sys
from pathlib import Path

package, folder = sys.argv[1] == "package", Path(sys.argv[2])
if package:
    import modeling_csr
else:
    try:
        import modeling_csr
    except ImportError:
        pass
    else:
        sys.exit(f"modeling_csr can be imported from {modeling_csr.__file__}")
"""


def freeze(*modules: nn.Module) -> None:
    for module in modules:
        module.requires_grad_(False)


def gradient(module: nn.Module) -> float:
    """Sum of the absolute gradients; -1 where a parameter has none."""
    gradients = [parameter.grad for parameter in module.parameters()]
    return -1.0 if any(value is None for value in gradients) else sum(value.abs().sum().item() for value in gradients)


def save(model: PreTrainedModel, folder: Path, tiny_encoder: Callable[[str], Path]) -> Path:
    """All of the tiny encoders have the same tokenizer."""
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_encoder("bert")).save_pretrained(folder)
    return folder
