"""Half-precision training with single-precision weights: forward and backward pass run on a bf16 copy."""

from typing import Any

import torch
from torch import nn
from torch.func import functional_call

# Inputs that are not converted: bf16 cannot count beyond 256.
EXACT = ("labels", "num_items_in_batch")


class HalfPrecisionForward:
    """Runs a model on a bf16 copy of its weights, made afresh for each forward pass.

    Autocast keeps LayerNorm, softmax and the residual stream in single precision and converts at each matrix product;
    here the whole model runs in bf16. The weights themselves stay in single precision, and so do the optimizer,
    checkpoints and the saved model: small updates are not rounded away ("master weights"; Micikevicius et al., 2018,
    section 3.1). Gradients are in single precision, too.
    """

    def __init__(self) -> None:
        # By name: a frozen parameter, its version at the time, and the copy that was made of it.
        self._copies: dict[str, tuple[nn.Parameter, int, torch.Tensor]] = {}

    def __call__(self, model: nn.Module, inputs: dict[str, Any]) -> Any:
        """Compute `model(**inputs)` in bf16.

        Args:
            model (`nn.Module`): A model with single-precision weights; it may be wrapped for several processes.
            inputs (`dict[str, Any]`): Keyword arguments of its forward pass. Floating-point tensors are converted to
                bf16, too, except labels and counts.

        Returns:
            What the model returns.
        """
        weights = {name: self._half(name, parameter) for name, parameter in model.named_parameters()}
        inputs = {name: value if name in EXACT else _half_input(value) for name, value in inputs.items()}
        return functional_call(model, weights, kwargs=inputs)

    def _half(self, name: str, parameter: nn.Parameter) -> torch.Tensor:
        if parameter.requires_grad:
            # The conversion is part of the graph and passes the gradient back. Even without a graph, the copy cannot be
            # reused: fused optimizers change parameters without updating their version.
            return parameter.to(torch.bfloat16)
        source, version, copy = self._copies.get(name, (None, None, None))
        if copy is None or source is not parameter or version != parameter._version or copy.device != parameter.device:
            copy = parameter.detach().to(torch.bfloat16)
            self._copies[name] = (parameter, parameter._version, copy)
        return copy


def _half_input(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_half_input(item) for item in value)
    return value.to(torch.bfloat16) if isinstance(value, torch.Tensor) and value.is_floating_point() else value
