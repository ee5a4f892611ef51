"""A whole number that JSON readers disagree about is a mistake, not a crash of the hash."""


def test_a_whole_number_beyond_what_json_holds_is_named_with_its_line(small, mistakes_in):
    small["specs/heroes/pip.yaml"] = small["specs/heroes/pip.yaml"].replace(
        "hidden_size: 16", "hidden_size: 9007199254740993"
    )
    (mistake,) = mistakes_in(small)
    assert mistake.message == "is 9007199254740993; whole numbers go up to 9007199254740991 (2^53 - 1)"
    assert mistake.line == 3
