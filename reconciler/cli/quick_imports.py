"""Modules inside packages, found and read with three calls to the system each, instead of a dozen.

Python looks for a module of any kind in any folder; ours, and click's, are files beside the others of their
package, compiled before. With two hundred of them that is a tenth of a plan with nothing to do. Whatever else
it is (a file that changed since it was compiled, an extension, a package) is left to Python.
"""

import marshal
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER
from types import CodeType, ModuleType

_HEADER_BYTES = 16
"""Of a compiled file: magic number, flags, the time of its source in seconds, its size (PEP 552)."""
_BY_TIME = b"\0\0\0\0"
_MOST_BYTES = 1 << 16
"""What is larger than this is left to Python, too."""


def import_quickly() -> None:
    """Let this finder be asked first, unless Python was told to keep its compiled files in another way."""
    is_usual = sys.pycache_prefix is None and not sys.flags.optimize and not sys.dont_write_bytecode
    if is_usual and sys.implementation.cache_tag is not None:
        sys.meta_path.insert(0, _Finder(f".{sys.implementation.cache_tag}.pyc"))


class _Finder:
    """Finds what was compiled, and not changed since, in the one folder of its package."""

    def __init__(self, ending: str) -> None:
        self._ending = ending

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module, or None where somebody else has to look for it."""
        del target
        if path is None or len(path) != 1:
            return None
        stem = name.rpartition(".")[2]
        source, compiled = f"{path[0]}/{stem}.py", f"{path[0]}/__pycache__/{stem}{self._ending}"
        code = _code_of(source, compiled)
        if code is None:
            return None
        spec = ModuleSpec(name, _Loader(name, source, code), origin=source)
        spec.has_location, spec.cached = True, compiled
        return spec


class _Loader(SourceFileLoader):
    """Python's own, which knows already what the file says."""

    def __init__(self, name: str, source: str, code: CodeType) -> None:
        super().__init__(name, source)
        self._code: CodeType | None = code

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code, once; who asks again, as `importlib.reload` does, may want it newer."""
        code, self._code = self._code, None
        return code if code is not None else super().get_code(fullname)


def _code_of(source: str, compiled: str) -> CodeType | None:
    """Return the compiled code of a source, or None where there is none, or not of what the source is now."""
    try:
        status = os.stat(source)  # noqa: PTH116 - a path object takes longer than the call
        descriptor = os.open(compiled, os.O_RDONLY | os.O_CLOEXEC)
        try:
            content = os.read(descriptor, _MOST_BYTES)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    if len(content) == _MOST_BYTES or content[:_HEADER_BYTES] != _header(status):
        return None
    code = marshal.loads(memoryview(content)[_HEADER_BYTES:])  # noqa: S302 - what Python itself would load
    return code if isinstance(code, CodeType) and code.co_filename == source else None


def _header(status: os.stat_result) -> bytes:
    numbers = (int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)
    return MAGIC_NUMBER + _BY_TIME + b"".join(number.to_bytes(4, "little") for number in numbers)
