"""Groups of an optimizer's parameters that have learning rates of their own."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn


def set_apart(optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], lr_of: str, **options: Any) -> None:
    """Move parameters of an optimizer to groups of their own, one for each group that they come from.

    Args:
        optimizer (`torch.optim.Optimizer`): The optimizer; where it has groups of this name, nothing is moved.
        parameters (`Iterable[nn.Parameter]`): What is moved. What the optimizer does not have is passed over.
        lr_of (`str`): Whose learning rate the new groups have: their name.
        **options: In what else they differ from the groups that the parameters come from, such as `lr`.
    """
    if any(group.get("lr_of") == lr_of for group in optimizer.param_groups):
        return
    moved = set(parameters)
    for group in list(optimizer.param_groups):
        own = [parameter for parameter in group["params"] if parameter in moved]
        if own:
            group["params"] = [parameter for parameter in group["params"] if parameter not in moved]
            optimizer.add_param_group({**group, "params": own, "lr_of": lr_of, **options})
