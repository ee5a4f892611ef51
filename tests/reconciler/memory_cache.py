"""A cache of what was found out about files that ends with the test: `FactCache`, in memory."""


class MemoryCache:
    """A cache that ends with the process."""

    def __init__(self) -> None:
        self._answers: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self._answers.get(key)

    def get_all(self, prefix: str) -> dict[str, bytes]:
        return {key: answer for key, answer in self._answers.items() if key.startswith(prefix)}

    def put(self, key: str, answer: bytes) -> None:
        self._answers[key] = answer
