"""Campaigns in the console: written, looked at, tried, sent, held and reckoned up. Who gets a letter is shown to nobody here."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from lofte.core import roles
from lofte.core.publication import current
from lofte.features.outreach import campaigns, results
from lofte.features.outreach.campaigns import Content, Seen
from lofte.features.outreach.clicks import counting
from lofte.features.outreach.writing import own_hosts, write
from lofte.kernel.problems import Place, Problem
from lofte.rules.catalogue import say
from lofte.web import segment_words
from lofte.web.console import campaigns_forms as forms
from lofte.web.console import campaigns_words as words
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs
from lofte.web.middleware import HEADERS

_FOLLOW_S = 5
_MEANWHILE = "outreach.changed-meanwhile"
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' {ours}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
_SEND = {
    "schedule": "scheduled",
    "unschedule": "unscheduled",
    "start": "started",
    "pause": "paused",
    "resume": "resumed",
    "stop": "stopped",
}


@require_safe
@needs("campaigns.read")
def listed(request: HttpRequest) -> HttpResponse:
    locale = console_locale(request)
    return page(request, "campaigns", rows=[words.campaign(locale, each) for each in campaigns.campaigns(200)])


# --- whom it is for -------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("campaigns.write")
def new(request: HttpRequest) -> HttpResponse:
    locale = console_locale(request)
    initial = {"segment": request.GET.get("segment", ""), "topic": next(iter(current().policy.topics), "")}
    form = forms.campaign(locale, request.POST if request.method == "POST" else None, initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = campaigns.draft(
                said["name"], said["topic"], actor(request), markets=said["markets"], segment=forms.segment_of(form),
                patience=forms.patience_of(form, campaigns.PATIENCE),
            )  # fmt: skip
        except Problem as problem:
            form.tell(problem)
        else:
            return _done(request, made, "drafted")
    return page(request, "campaign_edit", status=422 if form.errors else 200, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("campaigns.write")
def change(request: HttpRequest, campaign: UUID) -> HttpResponse:
    locale, seen = console_locale(request), campaigns.campaign(campaign)
    initial = {
        "name": seen.name,
        "topic": seen.topic,
        "markets": list(seen.markets),
        "segment": str(seen.segment or ""),
        "patience": seen.patience,
    }
    form = forms.campaign(locale, request.POST if request.method == "POST" else None, initial)
    theirs: list[tuple[str, str]] | None = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            campaigns.change(
                campaign, actor(request), name=said["name"], topic=said["topic"], markets=said["markets"],
                segment=forms.segment_of(form), patience=forms.patience_of(form, seen.patience), mark=request.POST.get("mark", ""),
            )  # fmt: skip
        except Problem as problem:
            form.tell(problem)
            seen = campaigns.campaign(campaign)
            theirs = words.description(locale, seen) if problem.code == _MEANWHILE else None
        else:
            return _done(request, campaign, "changed")
    return page(
        request, "campaign_edit", status=409 if theirs else 422 if form.errors else 200, form=form, theirs=theirs,
        mark=request.POST.get("mark", "") if form.errors and not theirs else seen.mark,
        campaign=words.campaign(locale, seen),
    )  # fmt: skip


# --- what it says ---------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("campaigns.write")
def letter(request: HttpRequest, campaign: UUID, tag: str) -> HttpResponse:
    """The letter in one language."""
    locale, seen = console_locale(request), campaigns.campaign(campaign)
    if tag not in current().policy.locales():
        raise Http404
    content, theirs = seen.contents.get(tag), None
    if request.method == "POST" and request.POST.get("do") == "remove":
        return _remove(request, seen, tag)
    form = forms.letter(locale, request.POST if request.method == "POST" else None, _initial(content))
    left_out: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            left_out = words.left_out(locale, _keep(request, seen, tag, form))
        except Problem as problem:
            form.tell(problem)
            content = campaigns.campaign(campaign).contents.get(tag)
            theirs = {"is_gone": content is None, **_initial(content)} if problem.code == _MEANWHILE else None
        else:
            content = campaigns.campaign(campaign).contents.get(tag)
            messages.success(request, say(locale, "campaigns.done.written"), extra_tags="good")
            if not left_out:
                to = "console-campaign-preview" if request.POST.get("do") == "see" else "console-campaign"
                return HttpResponseRedirect(reverse(to, args=(campaign,)))
    return page(
        request, "letter", status=409 if theirs else 422 if form.errors else 200, form=form, theirs=theirs,
        mark=request.POST.get("mark", "") if form.errors and not theirs else campaigns.letter_mark(content),
        campaign=words.campaign(locale, seen),
        language={"locale": tag, "name": segment_words.language(tag)}, left_out=left_out, is_written=content is not None,
    )  # fmt: skip


def _initial(content: Content | None) -> dict[str, str]:
    if content is None:
        return {}
    kind, source = (content.form, content.source) if content.source else ("html", content.html)
    return {"subject": content.subject, "preheader": content.preheader, "kind": kind, "source": source}


def _keep(request: HttpRequest, seen: Seen, tag: str, form: forms.Form) -> tuple[str, ...]:
    """Make both parts of what was written and keep them; what was left out. Raises Problem for a letter with nothing in it."""
    said = form.cleaned_data
    made = write(said["source"], said["kind"], own_hosts())
    if not made.text.strip():
        raise Problem("outreach.empty", "nothing is left of the letter", Place(key="source"), status=422)
    content = Content(said["subject"], made.text, made.html, said["preheader"], said["source"], said["kind"])
    campaigns.change_letter(seen.id, tag, content, actor(request), mark=request.POST.get("mark", ""))
    return made.left_out


def _remove(request: HttpRequest, seen: Seen, tag: str) -> HttpResponse:
    try:
        campaigns.change_letter(seen.id, tag, None, actor(request), mark=request.POST.get("mark", ""))
    except Problem as problem:
        return _shown(request, seen.id, error=forms.told(console_locale(request), problem))
    return _done(request, seen.id, "removed")


# --- how it will look -----------------------------------------------------------------------------------------------


@require_safe
@needs("campaigns.read")
def preview(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """The letter in all its languages side by side, as mail programs show it or as plain text."""
    locale, seen = console_locale(request), campaigns.campaign(campaign)
    form = "text" if request.GET.get("form") == "text" else "html"
    letters = words.letters(seen)
    if form == "text":
        letters = [
            each | {"text": _composed(seen, each["locale"]).text} if each["is_written"] else each for each in letters
        ]
    said = words.campaign(locale, seen)
    answer = page(request, "preview", campaign=said, letters=letters, form=form, is_open=said["is_open"])
    answer["Content-Security-Policy"] = HEADERS["Content-Security-Policy"] + "; frame-src 'self'"
    return answer


@require_safe
@xframe_options_sameorigin
@needs("campaigns.read")
def shown(request: HttpRequest, campaign: UUID, tag: str) -> HttpResponse:
    """The letter itself, for the frame it is looked at in: it can run nothing and load nothing but our own pictures."""
    seen = campaigns.campaign(campaign)
    if tag not in seen.contents:
        raise Http404
    answer = HttpResponse(_composed(seen, tag).html)
    ours = " ".join(sorted(f"{scheme}://{host}" for host in own_hosts() for scheme in _schemes()))
    answer["Content-Security-Policy"] = _LETTER_POLICY.format(ours=ours)
    return answer


def _schemes() -> tuple[str, ...]:
    return ("https",) if settings.LOFTE_ORIGIN.startswith("https:") else ("https", "http")


def _composed(seen: Seen, tag: str) -> Any:
    """In the first market of the campaign that speaks the language."""
    markets = current().policy.markets
    spoken = [key for key, each in markets.items() if tag in each.locales]
    return campaigns.preview(seen.id, next((key for key in spoken if key in seen.markets), spoken[0]), tag)


# --- its life -------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("campaigns.read")
def one(request: HttpRequest, campaign: UUID) -> HttpResponse:
    """One campaign: its languages, how far it has come, what became of it, and what can be done now."""
    if request.method != "POST":
        return _shown(request, campaign)
    locale, do = console_locale(request), request.POST.get("do", "")
    roles.demand(request.user, "campaigns.send" if do in _SEND else "campaigns.write")
    try:
        return _act(request, campaign, do)
    except Problem as problem:
        return _shown(request, campaign, error=forms.told(locale, problem))


def _act(request: HttpRequest, campaign: UUID, do: str) -> HttpResponse:
    me = actor(request)
    match do:
        case "start":
            campaigns.start(campaign, me)
        case "pause":
            campaigns.pause(campaign, me)
        case "resume":
            campaigns.resume(campaign, me)
        case "stop":
            campaigns.stop(campaign, me)
        case "unschedule":
            campaigns.unschedule(campaign, me)
        case "schedule":
            return _schedule(request, campaign)
        case "test":
            return _test(request, campaign)
        case "copy":
            return _done(request, campaigns.copy(campaign, me), "copied")
        case "discard":
            campaigns.discard(campaign, me)
            messages.success(request, say(console_locale(request), "campaigns.done.discarded"), extra_tags="good")
            return HttpResponseRedirect(reverse("console-campaigns"))
        case _:
            raise Http404
    return _done(request, campaign, _SEND[do])


def _schedule(request: HttpRequest, campaign: UUID) -> HttpResponse:
    form = forms.schedule(console_locale(request), request.POST)
    at = forms.chosen_moment(form) if form.is_valid() else None
    if at is None:
        return _shown(request, campaign, form=form)
    campaigns.schedule(campaign, at, actor(request))
    return _done(request, campaign, "scheduled")


def _test(request: HttpRequest, campaign: UUID) -> HttpResponse:
    locale, tag = console_locale(request), request.POST.get("locale", "")
    campaigns.test_send(campaign, tag, int(request.user.pk or 0), actor(request))
    messages.success(request, say(locale, "campaigns.done.test", address=_own_address(request)), extra_tags="good")
    return HttpResponseRedirect(reverse("console-campaign", args=(campaign,)))


def _shown(request: HttpRequest, campaign: UUID, *, error: str = "", form: forms.Form | None = None) -> HttpResponse:
    locale, seen = console_locale(request), campaigns.campaign(campaign)
    said = words.campaign(locale, seen)
    follows = seen.state == "sending" and request.GET.get("follow") == "1"
    told = _numbers(locale, seen) if said["has_begun"] else {}
    status = 409 if error else 422 if form is not None and form.errors else 200
    answer = page(
        request, "campaign", status=status, campaign=said, letters=words.letters(seen), error=error, follows=follows,
        form=form or forms.schedule(locale), own_address=_own_address(request), is_open=said["is_open"],
        has_begun=said["has_begun"], halted=_halted(locale, seen), **told,
    )  # fmt: skip
    if follows:
        answer["Refresh"] = str(_FOLLOW_S)
    return answer


def _numbers(locale: str, seen: Seen) -> dict[str, Any]:
    return {
        "progress": words.progress(locale, results.progress(seen.id)),
        "results": words.outcome(locale, results.results(seen.id)),
        "clicks": words.clicks(locale, counting.numbers(seen.id)) if counting.is_on() else None,
    }


def _halted(locale: str, seen: Seen) -> str:
    """What stopped it by itself, in words."""
    if not seen.halted:
        return ""
    return say(locale, "campaigns.halted" if seen.state == "paused" else "campaigns.halted_draft")


def _own_address(request: HttpRequest) -> str:
    return str(getattr(request.user, "email", ""))


def _done(request: HttpRequest, campaign: UUID, done: str) -> HttpResponse:
    messages.success(request, say(console_locale(request), f"campaigns.done.{done}"), extra_tags="good")
    return HttpResponseRedirect(reverse("console-campaign", args=(campaign,)))


def page(request: HttpRequest, template: str, *, status: int = 200, **seen: Any) -> HttpResponse:
    known = {"spot": "campaigns", "tab": "campaigns"}
    return render(request, f"lofte/console/campaigns/{template}.html", known | seen, status=status)
