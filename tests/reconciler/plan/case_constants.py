"""The moment, the realm and the size that cases do not name."""

EARLIER = "2026-01-01T00:00:00Z"
REALM_UID = "1" * 16
SIZE = 4096
