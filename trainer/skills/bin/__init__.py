"""BIN: binary arithmetic in the circled notation ⓪①, thirty levels of width, four difficulties of answer."""
