"""What is frozen does not only keep its weights, it also computes as in inference."""

from torch import nn


def eval_frozen(module: nn.Module) -> None:
    """Put the frozen submodules into eval mode (no dropout in a frozen encoder)."""
    for child in module.children():
        trained = [parameter.requires_grad for parameter in child.parameters()]
        if trained and not any(trained):
            child.eval()
        elif trained and not all(trained):
            eval_frozen(child)
