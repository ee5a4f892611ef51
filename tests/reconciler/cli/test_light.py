"""What a short command leaves unloaded is loaded by whoever does look into it."""

import subprocess
import sys
from pathlib import Path


def said(program: str) -> str:
    """Return what a fresh interpreter prints."""
    checkout = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": checkout}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_module_is_loaded_by_the_first_look_into_it_and_not_by_imports() -> None:
    program = (
        "import sys; from reconciler.cli.light import lighten; lighten()\n"
        "import inspect, inspect as again\n"
        "print('ast' in sys.modules, end=' ')\n"
        "print(again.cleandoc(' a'), 'ast' in sys.modules, sys.modules['inspect'] is inspect, end=' ')\n"
        "from textwrap import dedent; print(dedent(' b'))\n"
    )
    assert said(program) == "False a True True b"


def test_a_name_that_such_a_module_has_not_is_an_attribute_error() -> None:
    program = (
        "from reconciler.cli.light import lighten; lighten()\n"
        "import inspect\n"
        "print(hasattr(inspect, 'nothing'), hasattr(inspect, 'nothing'), inspect.isclass(int))\n"
    )
    assert said(program) == "False False True"


def test_msgspec_does_the_same_without_typing_extensions_and_others_still_find_it() -> None:
    program = (
        "from reconciler.cli.light import import_msgspec; import_msgspec()\n"
        "import msgspec, sys, typing\n"
        "assert 'typing_extensions' not in sys.modules\n"
        "class Row(msgspec.Struct):\n"
        "    size: typing.Annotated[int, msgspec.Meta(ge=1)]\n"
        "try:\n    msgspec.json.decode('{\"size\": 0}', type=Row)\n"
        "except msgspec.ValidationError as error:\n    print(error, end=' ')\n"
        "import typing_extensions; print(typing_extensions.Annotated is typing.Annotated)\n"
    )
    assert said(program) == "Expected `int` >= 1 - at `$.size` True"
