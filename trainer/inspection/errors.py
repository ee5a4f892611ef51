"""Why a file could not be looked through. What is wrong inside it is a finding, never an exception."""


class InspectError(Exception):
    """Tokenizer, template or a guarded file is not what was asked for; says which."""


class UnusableTokenizer(InspectError):
    """The tokenizer that was asked for is there and cannot be loaded, or cannot be trained with."""
