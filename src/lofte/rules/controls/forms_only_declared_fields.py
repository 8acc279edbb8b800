"""A form asks only for declared fields, says why beside them, and what it did not ask for is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class FormSeen:
    """One form on the live site; without a name when no declaration knows it.

    ``unsaid`` are those of purpose, basis and period that do not stand beside the fields.
    """

    form: str
    address: str
    undeclared: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormsSeen:
    """``took_extra`` are forms that accepted a planted field nobody declared; ``unseen`` are declared forms not open yet.

    ``declared`` are the fields the publication lets forms ask for, as ``form: field``; ``site`` is the number of the site's own
    pages that were read for other forms, which are among ``forms`` with their undeclared fields.
    """

    forms: tuple[FormSeen, ...]
    took_extra: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    declared: tuple[tuple[str, str], ...] = ()
    site: int = 0


def _judge(seen: FormsSeen, parameters: Mapping[str, Any]) -> Verdict:
    if undeclared := [f"{form.address}: {name}" for form in seen.forms for name in form.undeclared]:
        return broken("undeclared", fields=listed(undeclared))
    if seen.took_extra:
        return broken("took-extra", forms=listed(seen.took_extra))
    if unsaid := [f"{form.address}: {part}" for form in seen.forms for part in form.unsaid]:
        return broken("unsaid", parts=listed(unsaid))
    named = parameters.get("fields")
    if more := [f"{form}: {field}" for form, field in seen.declared if named and field not in named]:
        return broken("declared-more", fields=listed(more))
    read = {form.form for form in seen.forms if form.form}
    if not read:
        return unproved("no-forms")
    if not seen.site:
        return unproved("unread", forms=listed(read))
    forms, count = listed(read), len(seen.forms)
    if seen.unseen:
        return kept("kept-so-far", forms=forms, pages=count, site=seen.site, unseen=listed(seen.unseen))
    return kept(forms=forms, pages=count, site=seen.site)


CONTROL = Control(
    id="forms_only_declared_fields",
    law=("GDPR 5(1)(c)", "GDPR 13"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "publication", "mailbox"}),
    judge=_judge,
)
