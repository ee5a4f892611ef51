"""A pydantic model of each record, made when it is needed: it finds every mistake of a file at once.

Called by `validation` and `json_schema` only: importing pydantic costs 0.2 s, which a command that reads
cached specs must not pay.
"""

import ast
import functools
import inspect
import itertools
import types
import typing
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

_CONFIG = ConfigDict(extra="forbid", strict=True, frozen=True)
_SAME_NAME = {
    "gt": "gt",
    "ge": "ge",
    "lt": "lt",
    "le": "le",
    "min_length": "min_length",
    "max_length": "max_length",
}


@functools.cache
def model_of(record: type[msgspec.Struct], *, is_described: bool = False) -> type[BaseModel]:
    """Return the model with the record's fields, limits and defaults.

    `is_described`: with the sentence under each field. They are read from the source, which takes as long as
    all the rest, and are of no use for checking.
    """
    hints = typing.get_type_hints(record, include_extras=True)
    descriptions = _descriptions(record) if is_described else {}
    fields: dict[str, Any] = {}
    for one in msgspec.structs.fields(record):
        wanted = _translated(hints[one.name], is_described=is_described)
        fields[one.name] = (wanted, _field(one, descriptions.get(one.name)))
    made: type[BaseModel] = create_model(
        record.__name__, __config__=_CONFIG, __doc__=record.__doc__, **fields
    )
    return made


def _field(one: Any, description: str | None) -> FieldInfo:
    alias = one.encode_name if one.encode_name != one.name else None
    if one.required:
        made = Field(alias=alias, description=description)
    elif one.default_factory is not msgspec.NODEFAULT:
        made = Field(alias=alias, description=description, default_factory=one.default_factory)
    else:
        made = Field(alias=alias, description=description, default=msgspec.to_builtins(one.default))
    return typing.cast("FieldInfo", made)


def _translated(hint: Any, *, is_described: bool) -> Any:
    """Return a type with every record in it replaced by its model."""
    origin, args = get_origin(hint), get_args(hint)
    translate = functools.partial(_translated, is_described=is_described)
    if origin is Annotated:
        return Annotated[(translate(args[0]), *map(_limit, args[1:]))]
    if origin in (Union, types.UnionType):
        return Union[tuple(map(translate, args))]  # noqa: UP007  # its members are known only now
    if origin is Literal or not args:
        is_record = isinstance(hint, type) and issubclass(hint, msgspec.Struct)
        return model_of(hint, is_described=is_described) if is_record else hint
    return origin[tuple(one if one is ... else translate(one) for one in args)]


def _limit(limit: Any) -> Any:
    if not isinstance(limit, msgspec.Meta):
        return limit
    given = {theirs: getattr(limit, ours) for ours, theirs in _SAME_NAME.items()}
    return Field(**{name: value for name, value in given.items() if value is not None})


def _descriptions(record: type) -> dict[str, str]:
    """Return the sentence under each field, of the record and of those it extends."""
    found: dict[str, str] = {}
    for cls in reversed(record.__mro__):
        if cls.__module__ == record.__module__ or cls.__module__.startswith(__package__ or ""):
            found |= _own_descriptions(cls)
    return found


def _own_descriptions(cls: type) -> dict[str, str]:
    lines = next(
        node for node in ast.parse(inspect.getsource(cls)).body if isinstance(node, ast.ClassDef)
    ).body
    found = {}
    for field, text in itertools.pairwise(lines):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
        ):
            found[field.target.id] = inspect.cleandoc(ast.literal_eval(text.value))
    return found
