"""Canonical bytes and digests: the same value has the same digest on every machine."""

import hashlib
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value, as bytes.

    Raises:
        ValueError: the value holds NaN, an infinity, or an integer beyond 2**53.
    """
    return bytes(rfc8785.dumps(value))


def sha256_of(value: Any) -> str:
    """Return `sha256:` and 64 hex digits over the canonical JSON of a value."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()


def short_id(*parts: str) -> str:
    """Return 16 hex digits that name the given parts; equal parts give equal ids."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
