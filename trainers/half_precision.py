"""Training in half precision with single-precision weights: forward and backward run on a bf16 copy."""

from typing import Any

import torch
from torch import nn
from torch.func import functional_call


class HalfPrecisionForward:
    """Runs one model on a bf16 copy of its weights, which is made anew for each forward pass.

    Autocast keeps LayerNorm, softmax and the residual stream in single precision and converts between the two at each
    matrix product; here a whole model runs in bf16. The weights themselves, and so the optimizer, checkpoints and the
    saved model, stay in single precision, where small updates are not rounded away ("master weights"; Micikevicius et
    al., 2018, section 3.1). Gradients arrive in single precision, too.
    """

    def __init__(self) -> None:
        # By name, copies outside of the graph and the version of the parameter that they were made of.
        self._copies: dict[str, tuple[int, torch.Tensor]] = {}

    def __call__(self, model: nn.Module, inputs: dict[str, Any]) -> Any:
        """What `model(**inputs)` returns, computed in bf16.

        Args:
            model (`nn.Module`): A model with single-precision weights; also one wrapped for several processes.
            inputs (`dict[str, Any]`): Keyword arguments of its forward pass.
        """
        weights = {name: self._half(name, parameter) for name, parameter in model.named_parameters()}
        return functional_call(model, weights, kwargs=inputs)

    def _half(self, name: str, parameter: nn.Parameter) -> torch.Tensor:
        if parameter.requires_grad and torch.is_grad_enabled():
            # Part of the graph: the gradient comes back through the conversion.
            return parameter.to(torch.bfloat16)
        version, copy = self._copies.get(name, (None, None))
        if copy is None or version != parameter._version or copy.device != parameter.device:
            copy = parameter.detach().to(torch.bfloat16)
            self._copies[name] = (parameter._version, copy)
        return copy
