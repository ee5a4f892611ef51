"""torch's Muon with two things changed: matrices of one shape go together, and products fit the processor.

torch.optim.Muon orthogonalises matrix by matrix in bfloat16. Where the processor has no bf16 products that
is ten times slower than float32; and hundreds of small products cost more to start than to compute. Formula,
state and settings are torch's (class documentation of torch.optim.Muon).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

MAX_ELEMENTS = 2**27
"""Of matrices that go together: bounds what a step takes beside the state, to some 2 GiB in float32."""
Coefficients = tuple[float, float, float]


class ShapedMuon(torch.optim.Muon):  # type: ignore[misc] # torch has no types here
    """Muon for matrices; `product_dtype` is the precision of the orthogonalisation."""

    def __init__(self, params: Any, *, product_dtype: torch.dtype, **settings: Any) -> None:
        super().__init__(params, **settings)
        self._product_dtype = product_dtype
        for group in self.param_groups:
            _check(group)

    @torch.no_grad()  # type: ignore[untyped-decorator] # the same
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        """Update every matrix that has a gradient."""
        if closure is not None:
            raise ValueError("this optimizer takes no closure")
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
            for one_shape in _by_shape(parameters):
                self._update(group, one_shape)

    def _update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Update matrices of one shape; RMS of the step as AdamW's (arXiv 2502.16982, equation 4)."""
        directions_KMN = torch.stack(self._directions(group, parameters)).to(self._product_dtype)
        steps_KMN = orthogonal(directions_KMN, group["ns_coefficients"], group["ns_steps"])
        rate = 0.2 * group["lr"] * max(parameters[0].shape) ** 0.5
        # In the layout of the parameters: only then is adding them one kernel on a GPU.
        steps = steps_KMN.to(parameters[0].dtype).contiguous().unbind()
        torch._foreach_add_(parameters, steps, alpha=-rate)

    def _directions(self, group: dict[str, Any], parameters: list[Tensor]) -> list[Tensor]:
        """Return the gradients with Nesterov momentum; the momentum lives in the optimizer's state."""
        gradients = [parameter.grad for parameter in parameters]
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        momenta = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        directions: list[Tensor] = list(torch._foreach_lerp(gradients, momenta, group["momentum"]))
        return directions


def _by_shape(parameters: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Yield the matrices of each shape, no more elements at once than allowed.

    Tall and wide ones apart: transposed in memory their bf16 products round otherwise than torch's.
    """
    of_shape: dict[tuple[int, ...], list[Tensor]] = defaultdict(list)
    for parameter in parameters:
        of_shape[tuple(parameter.shape)].append(parameter)
    for shape, found in of_shape.items():
        count = max(1, MAX_ELEMENTS // math.prod(shape))
        for start in range(0, len(found), count):
            yield found[start : start + count]


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
