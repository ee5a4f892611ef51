"""What `python -m trainer fits` answers: would the weights in a folder fill the model beside them?"""

import msgspec


class WeightsFit(msgspec.Struct, frozen=True, kw_only=True):
    """Whether names and shapes of the tensors are those of the architecture; told from headers alone."""

    problem: str | None = None
    """Why no run could begin with them, in words; None: it could."""
    unused: tuple[str, ...] = ()
    """Names of tensors that the architecture does not have: they stay behind."""
    why_not: str | None = None
    """Why it could not be told, in words."""
