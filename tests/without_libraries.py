"""An environment in which some libraries are not installed, as far as a Python process can tell."""

import os
from pathlib import Path


def environment_without(folder: Path, *names: str) -> dict[str, str]:
    """Return it; what hides them is written into the folder. `find_spec` says None, importing them fails."""
    lines = ["import sys", *(f"sys.modules[{name!r}] = None" for name in names)]
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("\n".join(lines) + "\n")
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *([before] if before else [])])}
