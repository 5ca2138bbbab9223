"""Parameter groups of an optimizer with their own learning rates."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn


def set_apart(optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], lr_of: str, **options: Any) -> None:
    """Move parameters of an optimizer into separate groups, one per group that they come from.

    Args:
        optimizer (`torch.optim.Optimizer`): The optimizer. If it already has groups named `lr_of`, nothing is moved.
        parameters (`Iterable[nn.Parameter]`): The parameters to move. Those unknown to the optimizer are ignored.
        lr_of (`str`): Name of the new groups: what their learning rate is for.
        **options: Options such as `lr` that replace those of the original groups.
    """
    if any(group.get("lr_of") == lr_of for group in optimizer.param_groups):
        return
    moved = set(parameters)
    for group in list(optimizer.param_groups):
        own = [parameter for parameter in group["params"] if parameter in moved]
        if own:
            group["params"] = [parameter for parameter in group["params"] if parameter not in moved]
            optimizer.add_param_group({**group, "params": own, "lr_of": lr_of, **options})
