"""How numbers and operations are written: ⓪① and plain names, or symbols that the prompt explains."""

import msgspec

PLAIN_ZERO, PLAIN_ONE = "⓪", "①"


class Notation(msgspec.Struct, frozen=True, kw_only=True):
    """The digits and names of one problem."""

    zero: str = PLAIN_ZERO
    one: str = PLAIN_ONE
    symbols: tuple[tuple[str, str], ...] = ()
    """(symbol, operation) in the order of the key; what the key leaves out keeps its plain name."""

    @property
    def joiner(self) -> str:
        """Return what stands between two digits: a hyphen between words, nothing between signs."""
        return "-" if self.zero.isalpha() else ""

    def number(self, value: int) -> str:
        """Return a number in binary without leading zeros, a minus before it when negative."""
        digits = self.joiner.join(self.one if bit == "1" else self.zero for bit in f"{abs(value):b}")
        return f"-{digits}" if value < 0 else digits

    def name(self, operation: str) -> str:
        """Return the symbol of an operation, else its plain name."""
        return next((symbol for symbol, name in self.symbols if name == operation), operation)

    @property
    def key(self) -> str:
        """Return the text that explains the symbols, empty for the plain notation."""
        if not self.symbols:
            return ""
        lines = "\n".join(f"  {symbol} = {name}" for symbol, name in self.symbols)
        digits = f"  {self.zero} = 0 (zero bit)\n  {self.one} = 1 (one bit)"
        return f"Symbol Key:\n{digits}\n\nOperations:\n{lines}\n\n"


PLAIN = Notation()
