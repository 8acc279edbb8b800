"""policy.md: the keys of policy.yaml, section by section, read from the model."""

from collections.abc import Iterator
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from docs.generate.markdown import code, page, table, told
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lofte.rules import model

NAME = "policy.md"

_LEAD = """A policy is a directory: `policy.yaml` declares, `text/<locale>/` says it in words. This page describes
`policy.yaml`, which is YAML 1.2 (so the country `NO` is a country). Unknown keys are errors.
[`policy.schema.json`](policy.schema.json) is the same as JSON Schema; an editor that knows the YAML language server
checks while you type when the file starts with:

```yaml
# yaml-language-server: $schema=<path to>/docs/reference/policy.schema.json
```

Keys of a section (`fields`, `purposes`, ...) are ids you choose: small letters, digits and hyphens. `lofte check`
finds what the schema cannot see; its [codes](check.md) say what. The words are in [text](values.md)."""

_FORMS = {
    "Id": "id",
    "PromiseId": "`P` and two or three digits",
    "Country": "country, ISO 3166-1 alpha-2",
    "MarketId": "market id, two capitals",
    "LawId": "law pack id",
    "Locale": "locale, such as `sv` or `en-GB`",
    "Period": "ISO 8601 duration, such as `P24M`",
    "Date": "day, `2026-11-22`",
    "Month": "month, `2026-11`",
}
_NAMED = {_pattern: name for name in _FORMS if (_pattern := repr(getattr(model, name)))}


def made() -> str:
    return page("policy.yaml", _LEAD, *(_section(each) for each in sections()))


def sections() -> list[type[BaseModel]]:
    """The models in the order a reader meets them, each once."""
    found: list[type[BaseModel]] = []
    _walk(model.Policy, found)
    return found


def _walk(each: type[BaseModel], found: list[type[BaseModel]]) -> None:
    found.append(each)
    for field in each.model_fields.values():
        for inner in _models_in(field.annotation):
            if inner not in found:
                _walk(inner, found)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _section(each: type[BaseModel]) -> str:
    rows = [
        (
            code(field.alias or name),
            _form(field),
            "yes" if field.is_required() else "no",
            _default(field),
            told(field.description or ""),
        )
        for name, field in each.model_fields.items()
    ]
    about = told((each.__doc__ or "").split("\n\n")[0]) if each.__doc__ and each.__doc__ != BaseModel.__doc__ else ""
    rest = told(" ".join((each.__doc__ or "").split("\n\n")[1:]))
    head = f"## {each.__name__}"
    return "\n\n".join(
        filter(None, [head, about, rest, table(("key", "form", "required", "default", "meaning"), rows)])
    )


def _form(field: FieldInfo) -> str:
    marks = [each for each in field.metadata if "pattern" in repr(each) or "AfterValidator" in repr(each)]
    if marks and field.annotation is str:
        for name in _FORMS:
            if marks[0] in get_args(getattr(model, name)):
                return _FORMS[name]
        pattern = next((each.pattern for each in marks if getattr(each, "pattern", None)), "")
        return f"text like `{pattern}`" if pattern else "text"
    return _of(field.annotation)


def _of(annotation: Any) -> str:
    if repr(annotation) in _NAMED:
        return _FORMS[_NAMED[repr(annotation)]]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of(inner[0])
    if origin is list:
        return f"list of {_of(inner[0])}"
    if origin is dict:
        return "any keys" if inner[1] is Any else f"{_of(inner[0])} → {_of(inner[1])}"
    if origin in (Union, UnionType):
        return " or ".join(_of(each) for each in inner if each is not type(None))
    if origin is Literal:
        return ", ".join(code(str(each).lower() if isinstance(each, bool) else each) for each in inner)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return ", ".join(code(each.value) for each in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return {str: "text", bool: "true or false", int: "number"}.get(annotation, str(annotation))


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required():
        return ""
    if value is PydanticUndefined:
        return "none"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(value.value if isinstance(value, StrEnum) else value)
