"""Training in half precision with single-precision weights: forward and backward run on a bf16 copy."""

from typing import Any

import torch
from torch import nn
from torch.func import functional_call

# Inputs that stay as they are: bf16 cannot count beyond 256.
EXACT = ("labels", "num_items_in_batch")


class HalfPrecisionForward:
    """Runs one model on a bf16 copy of its weights, which is made anew for each forward pass.

    Autocast keeps LayerNorm, softmax and the residual stream in single precision and converts between the two at each
    matrix product; here a whole model runs in bf16. The weights themselves, and so the optimizer, checkpoints and the
    saved model, stay in single precision, where small updates are not rounded away ("master weights"; Micikevicius et
    al., 2018, section 3.1). Gradients arrive in single precision, too.
    """

    def __init__(self) -> None:
        # By name, copies of frozen parameters, and the parameter and its version that they were made of.
        self._copies: dict[str, tuple[nn.Parameter, int, torch.Tensor]] = {}

    def __call__(self, model: nn.Module, inputs: dict[str, Any]) -> Any:
        """What `model(**inputs)` returns, computed in bf16.

        Args:
            model (`nn.Module`): A model with single-precision weights; also one wrapped for several processes.
            inputs (`dict[str, Any]`): Keyword arguments of its forward pass. Vectors become bf16, too; labels do not.
        """
        weights = {name: self._half(name, parameter) for name, parameter in model.named_parameters()}
        inputs = {name: value if name in EXACT else _half_input(value) for name, value in inputs.items()}
        return functional_call(model, weights, kwargs=inputs)

    def _half(self, name: str, parameter: nn.Parameter) -> torch.Tensor:
        if parameter.requires_grad:
            # Part of the graph: the gradient comes back through the conversion. Without a graph it is made anew, too:
            # fused optimizers change parameters and leave their version as it was.
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
