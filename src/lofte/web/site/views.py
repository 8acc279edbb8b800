"""Newsletter pages. A GET never acts: mail scanners open links. Answers are the same for known and unknown people."""

from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from lofte.core import evidence, outbox
from lofte.features.outreach import preferences as preference_centre
from lofte.features.outreach import reads, verbs
from lofte.features.rights import reads as rights
from lofte.kernel.problems import Problem
from lofte.web.doors import caller, is_by_hand, own_posts_only, stamp
from lofte.web.pages import Edition, edition, page, purpose_in_words
from lofte.web.receipts import download
from lofte.web.site import choices
from lofte.web.site.forms import TRAP, declared_form

FORM = "newsletter"


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only(FORM)
def newsletter(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    here = _edition_with_newsletter(market, locale)
    form = declared_form(here, FORM, reads.topics(here.market))(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _form_page(request, here, form)
    if request.POST.get(TRAP):  # a program: thanked and forgotten
        return _thanked(here)
    if request.POST.get("wording") != here.published.wording(here.market, here.locale, f"form.{FORM}"):
        return _form_page(request, here, form, changed=True)
    if not form.is_valid():
        return _form_page(request, here, form)
    values = {
        name: value for name, value in form.cleaned_data.items() if name not in (TRAP, "consent", "topics") and value
    }
    try:
        verbs.ask_to_subscribe(
            here.market,
            here.locale,
            values,
            topics=form.cleaned_data.get("topics", ()),
            form=FORM,
            remote=caller(request),
        )
    except Problem as problem:
        if problem.code not in ("form.bad-value", "form.missing-field"):
            raise
        field = problem.place.key.rsplit(".", 1)[-1]
        form.add_error(field if field in form.fields else None, here.say("news.error.value"))
        return _form_page(request, here, form)
    return _thanked(here)


@require_safe
def thanks(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    return page(request, "site/thanks.html", _edition_with_newsletter(market, locale))


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only("confirm")
def confirm(request: HttpRequest, market: str, locale: str, code: str) -> HttpResponse:
    here = edition(market, locale)
    if request.method != "POST":
        if reads.open_code(code, "confirm"):
            return page(request, "site/confirm.html", here, stamp=stamp("confirm"))
        if reads.confirmed_before(code):
            return page(request, "site/confirmed.html", here, receipt=None)
        raise Problem("code.unknown", "the link is expired or wrong", status=410)
    if not is_by_hand(request) and not request.POST.get("mine"):
        return page(request, "site/confirm.html", here, stamp=stamp("confirm"), asks_again=True, status=422)
    confirmed = verbs.confirm(code)
    if evidence.has_log():
        outbox.drain(person_id=confirmed.person_id)  # so that the receipt is there to be handed over
    found = rights.receipt(confirmed.person_id, confirmed.consent_id)
    links = _receipt_links(here, found) if found else None
    choose = confirmed.way_out and reverse(
        "newsletter-preferences", args=(here.market.lower(), here.locale, confirmed.way_out)
    )
    return page(request, "site/confirmed.html", here, receipt=links, preferences_url=choose)


@csrf_exempt  # RFC 8058: the mail provider posts for the person, with no cookie and no token; the code is the right
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, market: str, locale: str, code: str) -> HttpResponse:
    """The way out: everything of the letter's kind in one press, or its topic alone. Afterwards the page says what is left."""
    here = edition(market, locale)
    chosen = reverse("newsletter-preferences", args=(here.market.lower(), here.locale, code))
    if request.method != "POST":
        topic = preference_centre.topic_to_leave(code)
        name = here.word("topics", topic, "name") if topic else ""
        return page(request, "site/leave.html", here, preferences_url=chosen, topic=name)
    is_topic = request.POST.get("only") == "topic"
    if is_topic:
        verbs.leave_topic(code)
    else:
        verbs.unsubscribe(code)
    found = preference_centre.preferences(code)
    left = choices.still_wanted(here, found) if found else []
    return page(request, "site/left.html", here, preferences_url=chosen, left=left, is_topic=is_topic and bool(left))


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only("preferences")
def preferences(request: HttpRequest, market: str, locale: str, code: str) -> HttpResponse:
    """What somebody wants to read, by the link of a letter: no login, no name, no address on the page."""
    here = edition(market, locale)
    found = (
        verbs.prefer(code, *choices.said(request)) if request.method == "POST" else preference_centre.preferences(code)
    )
    if found is None:
        raise Problem("code.unknown", "the link is wrong", status=410)
    return choices.page_of(
        request, here, found, lambda receipt: _receipt_links(here, receipt), stamp=stamp("preferences")
    )


@require_safe
def receipt(request: HttpRequest, market: str, locale: str, token: str, form: str) -> HttpResponse:
    """The receipt of a consent just given, by a signed token that names only its place in the log."""
    here = edition(market, locale)
    try:
        index = signing.loads(token, salt="lofte.web.receipt", max_age=24 * 3600)
    except signing.BadSignature as error:
        raise Http404 from error
    return download(evidence.log().receipt(index), form, here)


def _edition_with_newsletter(market: str, locale: str) -> Edition:
    here = edition(market, locale)
    declared = here.published.policy.forms.get(FORM)
    if declared is None or (declared.markets and here.market not in declared.markets):
        raise Http404
    return here


def _form_page(request: HttpRequest, here: Edition, form: Any, *, changed: bool = False) -> HttpResponse:
    declared = here.published.policy.forms[FORM]
    return page(
        request,
        "site/newsletter.html",
        here,
        route="newsletter",
        status=422 if form.errors or changed else 200,
        form=form,
        trap=TRAP,
        stamp=stamp(FORM),
        changed=changed,
        wording=here.published.wording(here.market, here.locale, f"form.{FORM}"),
        words={part: here.word("forms", FORM, part) for part in ("name", "lead", "submit")},
        purpose=purpose_in_words(here, declared.purpose),
    )


def _thanked(here: Edition) -> HttpResponse:
    return HttpResponseRedirect(reverse("newsletter-thanks", args=(here.market.lower(), here.locale)))


def _receipt_links(here: Edition, found: dict[str, Any]) -> dict[str, Any]:
    token = signing.dumps(found["index"], salt="lofte.web.receipt")
    links = {
        f"{name}_url": reverse("newsletter-receipt", args=(here.market.lower(), here.locale, token, form))
        for name, form in (("page", "html"), ("json", "json"))
    }
    return {"index": found["index"]} | links
