"""`version`: which software this is, exactly, and what it stands on."""

import sys

import msgspec

from reconciler.provenance import DISTRIBUTION, ProvenanceUnknown, code_version


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    version: str
    code_version: str
    """Commit and dirty digest of a checkout, or the installed distribution's digest."""
    python: str
    sqlite: str
    torch: str | None
    """Null when it is not installed; it is not imported to find out."""
    transformers: str | None


def versions() -> Versions:
    """Return what is installed, from metadata alone."""
    import apsw

    return Versions(
        version=_installed(DISTRIBUTION) or "not installed (a checkout)",
        code_version=_code_version(),
        python=".".join(map(str, sys.version_info[:3])),
        sqlite=apsw.sqlite_lib_version(),
        torch=_installed("torch"),
        transformers=_installed("transformers"),
    )


def _installed(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _code_version() -> str:
    try:
        return str(code_version())
    except ProvenanceUnknown as error:
        return f"unknown: {error}"
