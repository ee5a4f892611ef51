"""What a started process may see of our environment, and how it finds this very software."""

import functools
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import reconciler

_NAMES = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "ENABLE_PACKING"}
)
_PREFIXES = (
    *("LC_", "XDG_", "REALM_"),
    *("PYTHON", "LD_LIBRARY_"),
    *("CUDA_", "NVIDIA_", "NCCL_", "CUBLAS_", "CUDNN_", "HIP_", "ROCR_"),
    *("TORCH", "PYTORCH_", "TRITON_", "OMP_", "MKL_", "KMP_", "GOMP_", "OPENBLAS_", "ATEN_"),
    *("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "TOKENIZERS_", "SAFETENSORS_"),
)
_SECRET_WORDS = ("TOKEN", "SECRET", "PASS", "PWD", "KEY", "CREDENTIAL", "AUTH", "WEBHOOK", "STARTUP")
_NO_SECRETS = ("TOKENIZERS_",)
_CHECK_SECONDS = 30
_WHERE = (
    "import importlib.util as u; s = u.find_spec('reconciler'); print(s.origin if s and s.origin else '')"
)


def child_environment(ours: Mapping[str, str], **more: str) -> dict[str, str]:
    """Return the environment of a started process: what training needs, no secrets, and a way to our code."""
    passed = {name: value for name, value in ours.items() if _is_passed(name)}
    if not _finds_this_software():
        passed["PYTHONPATH"] = _with_our_place(passed.get("PYTHONPATH", ""))
    return passed | more


def _is_passed(name: str) -> bool:
    if any(word in name for word in _SECRET_WORDS) and not name.startswith(_NO_SECRETS):
        return False
    return name in _NAMES or name.startswith(_PREFIXES)


def _with_our_place(path: str) -> str:
    return os.pathsep.join(part for part in (str(_our_place()), path) if part)


def _our_place() -> Path:
    return Path(reconciler.__file__).resolve().parent.parent


@functools.cache
def _finds_this_software() -> bool:
    """Does a fresh interpreter, started elsewhere, import the software that runs here?

    Installed, also editable: yes. In a bare checkout, found through the current folder: no. An older
    version that is installed beside the checkout must not be taken for it.
    """
    import subprocess  # only a launch needs it, and it is slow to import

    answer = subprocess.run(
        [sys.executable, "-P", "-c", _WHERE],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_CHECK_SECONDS,
        check=False,
    ).stdout.strip()
    return bool(answer) and Path(answer).resolve() == Path(reconciler.__file__).resolve()
