"""Are the libraries here that a claim measures beside? Where one is not, that is said, and nothing is measured."""

import importlib.util

_NAMES = {
    "trl": "TRL",
    "accelerate": "accelerate (which a Hugging Face Trainer needs)",
    "datasets": "datasets",
}
TRAINER = ("accelerate",)
SFT_TRAINER = ("accelerate", "datasets", "trl")


def missing(libraries: tuple[str, ...]) -> str | None:
    """Return in words which of these is not installed; None where all are."""
    lacking = [_NAMES[name] for name in libraries if importlib.util.find_spec(name) is None]
    if not lacking:
        return None
    verb = "is" if len(lacking) == 1 else "are"
    return f"{' and '.join(lacking)} {verb} not installed; pip install 'realm-reconciler[peers]' brings what it takes"
