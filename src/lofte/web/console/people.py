"""People in the console: found, seen for a stated purpose, noted, corrected, and made one. Each look is kept before anything shows.

What somebody seeks travels in the body of a form, never in an address line.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.core import actions, clock, roles
from lofte.core.publication import current
from lofte.features.register import attachments, duplicates, merging, organisations, reads, search, verbs
from lofte.features.rights import copies
from lofte.features.rights import verbs as rights
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.rules.model import Basis
from lofte.web.console import people_forms as forms
from lofte.web.console.file_words import file_in_words
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs
from lofte.web.middleware import HEADERS
from lofte.web.pages import Edition
from lofte.web.person_words import spoken

PURPOSE = "console_purpose"
"""Where the session keeps the purpose that was stated last."""
SLASH = "console_slash"
"""Where the session keeps that somebody does not want the key `/` to lead to the search."""
_COLLEAGUES = 100


# --- finding --------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people.search")
def people(request: HttpRequest) -> HttpResponse:
    """Find people by exact address, number or name, for a purpose. One who is found alone is shown at once."""
    locale = console_locale(request)
    given = request.POST if request.method == "POST" else None
    form = forms.search(locale, _may_state(request), given, stated=_stated(request))
    found = None
    if given is not None and form.is_valid():
        request.session[PURPOSE] = form.cleaned_data["purpose"]
        if person := search.sole(form.cleaned_data["sought"]):
            return _to_person(person)
        found = search.find(form.cleaned_data["sought"], form.cleaned_data["purpose"], by=actor(request))
    status = 422 if form.errors else 200
    return _page(
        request, "people", status=status, form=form, found=found, shown=search.SHOWN, has_slash=_has_slash(request),
        files=len(attachments.wanted()) if _may_judge(request) else 0,
        alike=duplicates.count_proposed() if roles.permissions_of(request.user) & {"people.write"} else 0,
    )  # fmt: skip


@require_POST
@needs("people.search")
def slash(request: HttpRequest) -> HttpResponse:
    """Turn the key that leads to the search on or off, for this visit (WCAG 2.1.4)."""
    request.session[SLASH] = "off" if request.POST.get("slash") == "off" else "on"
    return HttpResponseRedirect(reverse("console-people"))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people.write")
def new(request: HttpRequest) -> HttpResponse:
    """Somebody new, as a conversation gives them. An address that is known leads to whose it is."""
    locale = console_locale(request)
    given = request.POST if request.method == "POST" else None
    form = forms.person(locale, _may_state(request), given, stated=_stated(request))
    if given is not None and form.is_valid():
        person = _made(request, form)
        if person is not None:
            request.session[PURPOSE] = form.cleaned_data["purpose"]
            return _to_person(person)
    return _page(request, "person_new", status=422 if form.errors else 200, form=form)


def _made(request: HttpRequest, form: forms.Form) -> UUID | None:
    """The person of a valid form; None when something was refused, which the form then says."""
    said = form.cleaned_data
    try:
        made = verbs.meet(
            {name: said[name] for name in ("name", "email", "phone", "company", "title")}, said["purpose"],
            relation=said["relation"], source=actor(request), **forms.edition_of(said["market"]),
        )  # fmt: skip
    except Problem as problem:
        form.tell(problem)
        return None
    actions.record("people.noted", actor(request), what="person")
    messages.success(request, say(form.locale, "people.noted.person"))
    return made


# --- one person -----------------------------------------------------------------------------------------------------


@require_safe
@needs("people.read")
def person(request: HttpRequest, person: UUID) -> HttpResponse:
    """What is held about a person for the purpose that was stated; the look is kept before anything is shown."""
    if not _stated(request):
        return HttpResponseRedirect(reverse("console-people"))
    if not reads.exists(person) and (moved := merging.now(person)) != person:
        return _to_person(moved)
    return _file(request, person)


@require_POST
@needs("people.read")
def purpose(request: HttpRequest, person: UUID) -> HttpResponse:
    """Look on for another purpose."""
    form = forms.stating(console_locale(request), _may_state(request), request.POST)
    if form.is_valid():
        request.session[PURPOSE] = form.cleaned_data["purpose"]
    return _to_person(person)


@require_POST
@needs("people.write")
def note(request: HttpRequest, person: UUID) -> HttpResponse:
    """Note what was said, with a file if one came along."""
    form = forms.note(console_locale(request), request.POST, request.FILES)
    return _written(request, person, form, "note", lambda: _noted(request, person, form.cleaned_data))


def _noted(request: HttpRequest, person: UUID, said: Mapping[str, Any]) -> None:
    by, known = actor(request), _edition_known(person)
    with verbs.whole():
        entry = verbs.note(
            person, said["text"], _stated(request), medium=said["medium"], direction=said["direction"], at=said["at"], by=by,
            market=known["market"], locale=known["locale"],
        )  # fmt: skip
        if said["file"]:
            attachments.attach(person, entry, said["file"].name, said["file"].read(), by=by)


@require_POST
@needs("people.write")
def place(request: HttpRequest, person: UUID) -> HttpResponse:
    form = forms.place(console_locale(request), _stated_or_404(request), request.POST)
    return _written(
        request, person, form, "place",
        lambda: verbs.place(person, form.cleaned_data, _stated(request), source=actor(request), **_edition_known(person)),
    )  # fmt: skip


@require_POST
@needs("people.write")
def leave(request: HttpRequest, person: UUID, place: UUID) -> HttpResponse:
    return _done(request, person, "left", lambda: verbs.leave(person, place))


@require_POST
@needs("people.write")
def relate(request: HttpRequest, person: UUID) -> HttpResponse:
    form = forms.relation(console_locale(request), request.POST)
    return _written(
        request, person, form, "relation",
        lambda: verbs.begin_relation(person, form.cleaned_data["relation"], **forms.edition_of(form.cleaned_data["market"])),
    )  # fmt: skip


@require_POST
@needs("people.write")
def part(request: HttpRequest, person: UUID, relation: UUID) -> HttpResponse:
    """The relation is over: its clock starts."""
    return _done(request, person, "parted", lambda: verbs.end_relation(person, relation))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people.write")
def correct(request: HttpRequest, person: UUID, holding: UUID) -> HttpResponse:
    """Put one value right here and in every connected system, or remove what should not stand there."""
    locale, stated = console_locale(request), _stated_or_404(request)
    held = next((each for each in reads.holdings_of(person, stated, by=actor(request)) if each.id == holding), None)
    if held is None:
        raise Problem("register.no-holding", "there is no such holding for this purpose", status=404)
    label = current().word(locale, "fields", held.field)
    may_remove = held.basis != Basis.LEGAL_OBLIGATION  # what a statute keeps goes by its clock
    if request.POST.get("remove") and may_remove:
        return _done(request, person, "removed", lambda: rights.remove_everywhere(person, holding))
    shape = current().policy.fields[held.field]
    form = forms.correction(locale, label, shape.kind, request.POST or None, value=held.value)
    if form.is_bound and form.is_valid():
        try:
            rights.correct_everywhere(person, holding, form.cleaned_data["value"])
        except Problem as problem:
            form.tell(problem)
        else:
            actions.record("person.corrected", actor(request), field=held.field)
            messages.success(request, say(locale, "people.noted.corrected"))
            return _to_person(person)
    is_one_of_many = shape.category in verbs.MANY
    return _page(
        request, "person_correct", status=422 if form.errors else 200, person=person, form=form, label=label, held=held,
        may_correct=not is_one_of_many, may_remove=may_remove,
    )  # fmt: skip


@require_safe
@needs("people.read")
def attachment(request: HttpRequest, person: UUID, attachment: UUID) -> HttpResponse:
    """A file, always as a download: nothing that somebody sent is shown inside the console."""
    file, content = attachments.open_one(person, attachment, _stated_or_404(request), by=actor(request))
    answer = HttpResponse(content, content_type=file.kind)
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name)}"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@require_POST
@needs("people.write")
def detach(request: HttpRequest, person: UUID, attachment: UUID) -> HttpResponse:
    return _done(request, person, "detached", lambda: attachments.remove(person, attachment))


@require_safe
@needs("people.read")
def files(request: HttpRequest) -> HttpResponse:
    """Files whose people have asked for a copy, and that nobody has looked at yet. Nobody is named here."""
    return _page(request, "people_files", files=attachments.wanted(), may_judge=_may_judge(request))


@require_POST
@needs("requests.work")
def judge(request: HttpRequest, person: UUID, attachment: UUID) -> HttpResponse:
    """Whether a file goes out in the person's copy: whoever opened it says so."""
    reads.demand(person, _stated_or_404(request), [], by=actor(request))
    gives = request.POST.get("gives") == "yes"
    try:
        copies.judge_file(person, attachment, gives, by=actor(request))
    except Problem as problem:
        if problem.code != "register.look-first":
            raise
        messages.error(request, say(console_locale(request), "people.outgoing.look_first"))
    else:
        messages.success(
            request, say(console_locale(request), f"people.outgoing.noted_{'given' if gives else 'withheld'}")
        )
    return _to_person(person)


def _may_judge(request: HttpRequest) -> bool:
    return "requests.work" in roles.permissions_of(request.user)


# --- organisations --------------------------------------------------------------------------------------------------


@require_safe
@needs("people.read")
def organisation(request: HttpRequest, organisation: UUID) -> HttpResponse:
    """Who is there, as far as the stated purpose may see them: one look each."""
    stated = _stated(request)
    if not stated:
        return HttpResponseRedirect(reverse("console-people"))
    name = organisations.name_of(organisation)
    if name is None:
        raise Problem("register.no-organisation", "nobody there is in the register", status=404)
    ids = search.people_of(organisation, _COLLEAGUES + 1)
    found = search.colleagues(ids[:_COLLEAGUES], organisation, stated, by=actor(request))
    return _page(
        request, "organisation", name=name, people=found.people, withheld=found.withheld, has_more=len(ids) > _COLLEAGUES,
        shown=_COLLEAGUES, purpose=_purpose_name(request, stated), form=_search_here(request),
    )  # fmt: skip


# --- two who may be one ---------------------------------------------------------------------------------------------


@require_safe
@needs("people.write")
def alike(request: HttpRequest) -> HttpResponse:
    """Pairs the nightly search found. Who may not be seen for the stated purpose stays unnamed."""
    stated = _stated(request)
    if not stated:
        return HttpResponseRedirect(reverse("console-people"))
    pairs = duplicates.proposed()
    everyone = list(dict.fromkeys(each for pair in pairs for each in (pair.one, pair.other)))
    seen, _ = search.briefs(everyone, stated, by=actor(request))
    names = {each.person: each for each in seen}
    shown = [
        {"one": names[pair.one], "other": names[pair.other], "why": pair.reason}
        for pair in pairs
        if pair.one in names and pair.other in names
    ]
    return _page(
        request, "people_alike", pairs=shown, withheld=len(pairs) - len(shown), purpose=_purpose_name(request, stated)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people.write")
def same(request: HttpRequest, person: UUID, other: UUID) -> HttpResponse:
    """The two side by side; they are two, or somebody else is asked to make them one."""
    stated = _stated_or_404(request)
    if request.method == "POST":
        return _settled(request, person, other)
    here, sides = _edition(request, stated), []
    for each in (person, other):
        seen = reads.file_of(each, stated, by=actor(request))
        sides.append(
            {"person": each, "data": file_in_words(here, seen, clock.now(), _staff_names(seen)), "name": _name(seen)}
        )
    return _page(
        request, "people_same", sides=sides, person=person, other=other, purpose=_purpose_name(request, stated),
        may_merge="people.merge" in roles.permissions_of(request.user),
    )  # fmt: skip


def _settled(request: HttpRequest, person: UUID, other: UUID) -> HttpResponse:
    locale = console_locale(request)
    keep = request.POST.get("keep", "")
    if keep in (str(person), str(other)):
        roles.demand(request.user, "people.merge")
        gone = other if keep == str(person) else person
        merging.ask(UUID(keep), gone, by=actor(request))
        messages.success(request, say(locale, "people.noted.asked_merge"))
        return _to_person(UUID(keep))
    duplicates.settle(person, other, by=actor(request))
    actions.record("people.settled", actor(request))
    messages.success(request, say(locale, "people.noted.settled"))
    return _to_person(person)


# --- what the pages share -------------------------------------------------------------------------------------------


def _file(request: HttpRequest, person: UUID, bound: Mapping[str, forms.Form] | None = None) -> HttpResponse:
    """A person's page. ``bound`` are forms that were refused, shown again with what is wrong."""
    stated, locale = _stated_or_404(request), console_locale(request)
    here, name = _edition(request, stated), _purpose_name(request, stated)
    stating = forms.stating(locale, _may_state(request), stated=stated)
    try:
        seen = reads.file_of(person, stated, by=actor(request))
    except Problem as problem:
        if problem.code != "register.denied":
            raise
        reason = spoken(here, "people.denied", problem.detail.rpartition(": ")[2], "unknown")
        return _page(
            request, "person", status=403, purpose=name, is_denied=reason, data={}, stating=stating, person=person
        )
    may = roles.permissions_of(request.user)
    link = _links(person) if "people.write" in may else None
    data = file_in_words(here, seen, clock.now(), _staff_names(seen), link, attachments.of(person, _entries(seen)))
    medium = request.GET.get("medium", "")
    offered = _forms(locale, person, stated) if "people.write" in may else {}
    return _page(
        request, "person", status=422 if bound else 200, person=person, purpose=name, stating=stating, data=_only(data, medium),
        medium=medium, name=_name(seen), also=_also(seen), form=_search_here(request), forms=offered | dict(bound or {}),
        alike=_alike(request, person, stated) if "people.write" in may else [], merged=merging.history(person),
        may_judge=_may_judge(request),
    )  # fmt: skip


def _forms(locale: str, person: UUID, stated: str) -> dict[str, forms.Form]:
    """What may be noted for the stated purpose: what the policy declares for it."""
    policy = current().policy
    declared = policy.purposes[stated].fields if stated in policy.purposes else ()
    market = _edition_known(person)
    found = {"relation": forms.relation(locale, market=f"{market['market']}/{market['locale']}")}
    if any(
        policy.fields[each].category in verbs.MANY and each == "dialogue" for each in declared if each in policy.fields
    ):
        found["note"] = forms.note(locale)
    if "company" in declared:
        found["place"] = forms.place(locale, stated)
    return found


def _written(
    request: HttpRequest, person: UUID, form: forms.Form, what: str, write: Callable[[], object]
) -> HttpResponse:
    """Write what a form says, if the stated purpose may be used at all; else show the page again with what is wrong."""
    if form.is_valid():
        try:
            reads.demand(person, _stated_or_404(request), [], by=actor(request))
            write()
        except Problem as problem:
            form.tell(problem)
        else:
            actions.record("people.noted", actor(request), what=what)
            messages.success(request, say(form.locale, f"people.noted.{what}"))
            return _to_person(person)
    return _file(request, person, {what: form})


def _done(request: HttpRequest, person: UUID, what: str, write: Callable[[], object]) -> HttpResponse:
    """One button's act."""
    reads.demand(person, _stated_or_404(request), [], by=actor(request))
    write()
    actions.record("people.noted", actor(request), what=what)
    messages.success(request, say(console_locale(request), f"people.noted.{what}"))
    return _to_person(person)


def _alike(request: HttpRequest, person: UUID, stated: str) -> list[dict[str, Any]]:
    pairs = {pair.other: pair.reason for pair in duplicates.alike(person)}
    seen, _ = search.briefs(list(pairs), stated, by=actor(request))
    return [{"brief": each, "why": pairs[each.person]} for each in seen]


def _only(data: dict[str, Any], medium: str) -> dict[str, Any]:
    """The dialogue of one medium, with how many there are of each."""
    kinds: dict[str, dict[str, Any]] = {}
    for each in data["dialogue"]:
        kinds.setdefault(each["medium"], {"medium": each["medium"], "name": each["how"], "number": 0})["number"] += 1
    chosen = [each for each in data["dialogue"] if medium in ("", each["medium"])]
    return data | {"media": list(kinds.values()), "all": len(data["dialogue"]), "dialogue": chosen}


def _links(person: UUID) -> Callable[[str, Any], str]:
    def link(kind: str, about: Any) -> str:
        return reverse("console-correct", args=(person, about)) if kind == "correct" else ""

    return link


def _entries(seen: reads.File) -> list[UUID]:
    return [each.id for each in seen.dialogue]


def _name(seen: reads.File) -> str:
    """What to call the person: the latest name held for the purpose, else an address."""
    for field in ("name", "email", "phone"):
        if values := sorted((each for each in seen.held if each.field == field), key=lambda each: each.since):
            return values[-1].value
    return ""


def _also(seen: reads.File) -> dict[str, str]:
    latest = {each.field: each.value for each in sorted(seen.held, key=lambda each: each.since)}
    return {field: latest[field] for field in ("email", "phone") if field in latest}


def _staff_names(seen: reads.File) -> dict[str, str]:
    """Members of staff by the actor they are kept as."""
    said = {each.by for each in seen.dialogue if each.by.startswith("staff:")}
    numbers = [each.partition(":")[2] for each in said]
    return {
        f"staff:{user.pk}": user.get_username()
        for user in User.objects.filter(pk__in=[n for n in numbers if n.isdecimal()])
    }


def _edition_known(person: UUID) -> dict[str, str]:
    """Market and language the person is known in; the first the policy has for somebody not known in any."""
    if known := reads.market_of(person):
        return {"market": known[0], "locale": known[1]}
    market = next(iter(current().policy.markets))
    return {"market": market, "locale": current().policy.markets[market].locales[0]}


def _edition(request: HttpRequest, purpose: str) -> Edition:
    """The publication's words in the console's language. The market matters only for contacts, not shown here."""
    published = current()
    return Edition(next(iter(published.policy.markets)), console_locale(request), published)


def _purpose_name(request: HttpRequest, purpose: str) -> str:
    return dict(forms.purposes(console_locale(request), {purpose})).get(purpose, purpose)


def _may_state(request: HttpRequest) -> Iterable[str]:
    return roles.purposes_of(request.user)


def _stated(request: HttpRequest) -> str:
    return str(request.session.get(PURPOSE, ""))


def _stated_or_404(request: HttpRequest) -> str:
    stated = _stated(request)
    if not stated:
        raise Problem("people.no-purpose", "no purpose was stated", status=404)
    return stated


def _search_here(request: HttpRequest) -> forms.Form:
    return forms.search(console_locale(request), _may_state(request), stated=_stated(request))


def _has_slash(request: HttpRequest) -> bool:
    return request.session.get(SLASH) != "off"


def _to_person(person: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("console-person", args=(person,)))


def _page(request: HttpRequest, template: str, /, *, status: int = 200, **seen: Any) -> HttpResponse:
    """A page about people. The one script it may run leads `/` to the search, and nothing else may."""
    has_slash = _has_slash(request)
    answer = render(
        request, f"lofte/console/{template}.html", {"spot": "people", "has_slash": has_slash} | seen, status=status
    )
    if has_slash:
        policy = f"{HEADERS['Content-Security-Policy']}; script-src 'nonce-{request.csp_nonce}'"  # type: ignore[attr-defined]  # core.csp
        answer["Content-Security-Policy"] = f"{policy}; require-trusted-types-for 'script'; trusted-types 'none'"
    return answer


page = _page
