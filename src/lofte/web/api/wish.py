"""What another system asks, read from the body of its request: strict shapes, nothing guessed, nothing repeated in a refusal."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lofte.core.decisions import Act, Question
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Country, Id, MarketId

LARGEST_BODY = 16 * 1024  # bytes; the largest honest question names every field of a policy and is below 2 kB
_Value = Annotated[str, StringConstraints(min_length=1, max_length=320, strip_whitespace=True)]


class Person(BaseModel):
    """Whom it is about: by the handle this installation gave, or by one value that people are found by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID | None = None
    field: Id = ""
    value: _Value = ""
    country: Country | None = None


class Wish(BaseModel):
    """One question as sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    act: Act
    purpose: Id
    fields: Annotated[list[Id], Field(min_length=1, max_length=200)]
    recipient: Id | None = None
    country: Country | None = None
    market: MarketId | None = None
    person: Person | None = None

    def question(self) -> Question:
        return Question(
            self.act, self.purpose, frozenset(self.fields), self.recipient or "", self.country or "", self.market or ""
        )


def read(request: HttpRequest) -> Wish:
    """Raises Problem: 413 too large, 415 not JSON, 400 not readable, 422 not a question."""
    if request.content_type != "application/json":
        raise Problem("api.not-json", "the question is not JSON", expected="Content-Type: application/json", status=415)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        raise Problem(
            "api.too-large", "the question is too large", expected=f"at most {LARGEST_BODY} bytes", status=413
        )
    try:
        wish = Wish.model_validate_json(request.body)
    except ValidationError as error:
        raise _refused(error) from None  # the cause holds what was sent
    _demand_whole(wish)
    return wish


def _demand_whole(wish: Wish) -> None:
    if wish.act is Act.SHARE and wish.recipient is None:
        raise _unfit("recipient", "sharing needs a recipient", "an id of the policy's recipients")
    if wish.act is Act.SHARE and wish.market is None and wish.person is None:
        raise _unfit("market", "without a person it is not known whose law applies", "a market of the policy")
    if wish.act is not Act.SHARE and (wish.recipient or wish.country):
        raise _unfit("recipient", "a recipient and a country belong to sharing", "act: share")
    person = wish.person
    if person is not None and (person.id is None) == (not (person.field and person.value)):
        raise _unfit(
            "person", "a person is named by id, or by field and value", '{"id": ...} or {"field": ..., "value": ...}'
        )


def _refused(error: ValidationError) -> Problem:
    first: Any = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return Problem("api.unreadable", "the body is not readable JSON", status=400)
    known = [str(part) for part in first["loc"] if isinstance(part, int) or part in _NAMES]
    said = str(first["msg"])
    return _unfit(".".join(known), said[:1].lower() + said[1:])


_NAMES = frozenset((*Wish.model_fields, *Person.model_fields))


def _unfit(key: str, detail: str, expected: str = "") -> Problem:
    return Problem("api.unfit", detail, Place(key=key), expected, status=422)
