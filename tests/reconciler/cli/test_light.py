"""What a short command leaves unloaded is loaded by whoever does look into it."""

import hashlib
import platform
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


def test_a_small_sha256_needs_no_openssl_and_a_large_one_takes_it() -> None:
    program = (
        "from reconciler.cli.light import lighten; lighten()\n"
        "import hashlib, sys\n"
        "small = hashlib.sha256(b'abc').hexdigest()\n"
        "print(small[:8], '_hashlib' in sys.modules, end=' ')\n"
        "print(hashlib.sha256(b'a' * 70_000).hexdigest()[:8], '_hashlib' in sys.modules, end=' ')\n"
        "print(hashlib.sha256(b'abc').hexdigest() == small, hashlib.sha1(b'').hexdigest()[:8])\n"
    )
    large = hashlib.sha256(b"a" * 70_000).hexdigest()[:8]
    assert said(program) == f"ba7816bf False {large} True True da39a3ee"


def test_a_sha256_that_is_fed_piece_by_piece_takes_openssl_at_once() -> None:
    program = (
        "from reconciler.cli.light import lighten; lighten()\n"
        "from hashlib import sha256; import sys\n"
        "digest = sha256(); digest.update(b'abc')\n"
        "print(digest.hexdigest()[:8], '_hashlib' in sys.modules)\n"
    )
    assert said(program) == "ba7816bf True"


def test_what_uuid_and_click_ask_of_a_module_is_answered_without_it() -> None:
    program = (
        "from reconciler.cli.light import lighten; lighten()\n"
        "import click, uuid, platform, gettext, sys\n"
        "print('subprocess' in sys.modules, platform.system() == uuid._platform_system, end=' ')\n"
        "print(gettext.ngettext('one', 'more', 1), gettext.ngettext('one', 'more', 2), end=' ')\n"
        "print(platform.python_implementation(), gettext.NullTranslations().gettext('same'))\n"
    )
    assert said(program) == f"False True one more {platform.python_implementation()} same"
