"""Takes out of a person's free texts what is somebody else's, for their own copy (GDPR 15(4)); a mark says what stood there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from lofte.core import ports, publication
from lofte.core.obligations import Returned
from lofte.rules.catalogue import LOCALES, say
from lofte.rules.redaction import Own, Redacted, candidates, redact

_OWN = frozenset({"email", "phone", "number"})  # kinds of fields whose values say who a person is, besides names
_COMPANY = "company"
_FREE = "dialogue"  # the category of fields people write freely in


class Cleaner:
    """Takes out of the person's free texts what is somebody else's. The register is asked once, for the words of all of them."""

    def __init__(self, person_id: UUID, values: Sequence[tuple[str, str]], locale: str, texts: Iterable[str]) -> None:
        self._locale = locale if locale in LOCALES else "en-GB"
        self._own = _own(values)
        asked = frozenset().union(*(candidates(text, self._locale) for text in texts))
        self._others = ports.register().names_of_others(person_id, asked)

    def clean(self, text: str) -> Redacted:
        return redact(text, self._own, self._mark, self._others, self._locale)

    def _mark(self, kind: str) -> str:
        return f"[{say(self._locale, f'copy.taken_out.{kind}')}]"


def _own(values: Sequence[tuple[str, str]]) -> Own:
    """What counts as the person's own in a free text: their addresses, numbers and names, and the companies they work in."""
    shapes = publication.current().policy.fields
    kinds = [(shapes[field].kind, field, value) for field, value in values if field in shapes]
    return Own(
        (value for kind, _, value in kinds if kind in _OWN),
        called=[value for kind, _, value in kinds if kind == "name"],
        houses=[*(value for _, field, value in kinds if field == _COMPANY), *_known_to_all()],
    )


def _known_to_all() -> list[str]:
    """Companies the policy itself names in public."""
    policy = publication.current().policy
    return [each.name for group in (policy.controllers, policy.recipients, policy.systems) for each in group.values()]


def is_free(field: str) -> bool:
    shape = publication.current().policy.fields.get(field)
    return shape is not None and shape.category == _FREE


def free_texts(held: Iterable[Any], returned: Iterable[Returned]) -> Iterator[str]:
    yield from (each.value for each in held if is_free(each.field))
    for system in returned:
        yield from (each.value for record in system.records for each in record.values if is_free(each.field))


def without_others(system: Returned, cleaner: Cleaner) -> Returned:
    """What a connected system gave, its free texts cleaned like ours."""
    records = tuple(
        replace(
            record,
            values=tuple(
                replace(each, value=cleaner.clean(each.value).text) if is_free(each.field) else each
                for each in record.values
            ),
        )
        for record in system.records
    )
    return replace(system, records=records)
