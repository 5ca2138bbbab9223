"""Parameters of an optimizer that are moved to groups of their own."""

import pytest
import torch
from torch import nn

from trainers.loop.parameter_groups import set_apart


@pytest.fixture
def parameters() -> list[nn.Parameter]:
    return [nn.Parameter(torch.ones(2)) for _ in range(5)]


@pytest.fixture
def optimizer(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Two groups: the first three, which decay, and the next one. The last one is none of its parameters."""
    groups = [{"params": parameters[:3], "weight_decay": 0.5}, {"params": parameters[3:4], "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=0.1, momentum=0.9)


def places(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> list[list[int]]:
    numbers = {id(parameter): number for number, parameter in enumerate(parameters)}
    return [[numbers[id(parameter)] for parameter in group["params"]] for group in optimizer.param_groups]


def test_each_group_gives_its_own(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
    set_apart(optimizer, [parameters[3], parameters[2], parameters[0], parameters[4]], lr_of="head", lr=0.3)
    assert places(optimizer, parameters) == [[1], [], [0, 2], [3]]
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.1, 0.3, 0.3]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.5, 0.0, 0.5, 0.0]
    assert [group["momentum"] for group in optimizer.param_groups] == [0.9] * 4
    assert [group.get("lr_of") for group in optimizer.param_groups] == [None, None, "head", "head"]


def test_equal_values_are_not_the_same_parameter(
    optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]
) -> None:
    set_apart(optimizer, [parameters[1]], lr_of="weights", lr=0.01, weight_decay=0.0)
    assert places(optimizer, parameters) == [[0, 2], [3], [1]]
    assert optimizer.param_groups[2]["weight_decay"] == 0


def test_parameters_are_moved_on_but_not_twice(
    optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]
) -> None:
    set_apart(optimizer, parameters[1:3], lr_of="head", lr=0.3)
    set_apart(optimizer, parameters[2:3], lr_of="weights", lr=0.01)
    assert places(optimizer, parameters) == [[0], [3], [1], [2]]
    for lr_of in ("head", "weights"):
        set_apart(optimizer, parameters, lr_of=lr_of, lr=0.7)
    assert places(optimizer, parameters) == [[0], [3], [1], [2]]
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.1, 0.3, 0.01]


def test_a_step_is_as_long_as_the_groups_rate(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
    set_apart(optimizer, parameters[:1], lr_of="head", lr=0.3, weight_decay=0.0)
    for parameter in parameters:
        parameter.grad = torch.ones(2)
    optimizer.step()
    # 1 - 0.3, 1 - 0.1 * (1 + the decay of 0.5), 1 - 0.1
    assert [parameter[0].item() for parameter in parameters] == pytest.approx([0.7, 0.85, 0.85, 0.9, 1.0])
