"""torch's Muon with two things changed: matrices of one shape go together, and products fit the processor.

torch.optim.Muon orthogonalises matrix by matrix in bfloat16. Where the processor has no bf16 products that
is ten times slower than float32; and hundreds of small products cost more to start than to compute. Formula,
state and settings are torch's (class documentation of torch.optim.Muon).
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Coefficients = tuple[float, float, float]


class ShapedMuon(torch.optim.Muon):  # type: ignore[misc]
    """Muon for matrices; `product_dtype` is the precision of the orthogonalisation."""

    def __init__(self, params: Any, *, product_dtype: torch.dtype, **settings: Any) -> None:
        super().__init__(params, **settings)
        self._product_dtype = product_dtype
        for group in self.param_groups:
            _check(group)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        """Update every matrix that has a gradient."""
        if closure is not None:
            raise ValueError("this optimizer takes no closure")
        for group in self.param_groups:
            of_shape: dict[tuple[int, int], list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    of_shape[tuple(parameter.shape)].append(parameter)
            for parameters in of_shape.values():
                self._update(group, parameters)

    def _update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Update matrices of one shape; RMS of the step as AdamW's (arXiv 2502.16982, equation 4)."""
        directions = torch.stack([self._direction(group, parameter) for parameter in parameters])
        steps = orthogonal(directions.to(self._product_dtype), group["ns_coefficients"], group["ns_steps"])
        rate = 0.2 * group["lr"] * max(parameters[0].shape) ** 0.5
        for parameter, step in zip(parameters, steps.to(directions.dtype), strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(step, alpha=-rate)

    def _direction(self, group: dict[str, Any], parameter: Tensor) -> Tensor:
        """Return the gradient with Nesterov momentum; the momentum lives in the optimizer's state."""
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        momentum: Tensor = state["momentum_buffer"].lerp_(parameter.grad, 1 - group["momentum"])
        return parameter.grad.lerp(momentum, group["momentum"])


def _check(group: dict[str, Any]) -> None:
    """Refuse what this Muon does not do; torch's works on bf16 momentum in place where Nesterov is off.

    Raises:
        ValueError: names what was asked for.
    """
    if not group["nesterov"]:
        raise ValueError("this Muon is built with Nesterov momentum; nesterov=False is not supported")
    for parameter in group["params"]:
        if parameter.dtype != torch.float32:
            found = f"one of {tuple(parameter.shape)} is {parameter.dtype}"
            raise ValueError(f"this Muon needs float32 weights; {found}")


def orthogonal(matrices_KMN: Tensor, coefficients: Coefficients, num_steps: int) -> Tensor:
    """Return nearly orthogonal matrices with the singular vectors of the given ones (Newton-Schulz, quintic).

    Singular values come out between about 0.7 and 1.2.
    """
    if matrices_KMN.shape[1] > matrices_KMN.shape[2]:
        return orthogonal(matrices_KMN.mT, coefficients, num_steps).mT
    a, b, c = coefficients
    x = matrices_KMN / torch.linalg.matrix_norm(matrices_KMN, keepdim=True).clamp(min=1e-7)
    for _ in range(num_steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x
