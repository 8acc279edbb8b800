"""`POST /api/decide`: *may I use, send, share this for that?* Parse, may they ask, decide, keep it, answer."""

import logging
from typing import Any
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from lofte.core import decisions, ports, publication
from lofte.core.gates import tokens
from lofte.core.gates.tokens import Asker
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem
from lofte.web.api import wish
from lofte.web.api.wish import Person
from lofte.web.console.language import console_locale
from lofte.web.decision_words import promised, said
from lofte.web.doors import caller

_log = logging.getLogger(__name__)
_SCHEME = "Bearer "


@csrf_exempt  # no cookie is read: a browser has nothing a stranger's page could make it send
def decide(request: HttpRequest) -> JsonResponse:
    if request.method != "POST":
        answer = _refusal(Problem("api.method", "questions are posted", expected="POST", status=405))
        answer["Allow"] = "POST"
        return answer
    try:
        return JsonResponse(_decided(request))
    except Problem as problem:
        return _refusal(problem)


def _decided(request: HttpRequest) -> dict[str, Any]:
    asker = _asker(request)
    asked = wish.read(request)
    asker.demand(f"decide:{asked.act.value}")
    person = _person(asker, asked.person) if asked.person else None
    answer = decisions.ask(asked.question(), person, is_about_someone=asked.person is not None, by=asker.actor)
    decision, locale = answer.decision, console_locale(request)
    return {
        "allowed": decision.allowed,
        "reason": decision.reason,
        "said": said(locale, decision.reason),
        "promise": decision.promise,
        "promised": promised(publication.current(), locale, decision.promise),
        "law": decision.law,
        "evidence": answer.evidence,
        "policy": answer.policy,
        "at": rfc3339(answer.at),
    }


def _asker(request: HttpRequest) -> Asker:
    shown = request.headers.get("Authorization", "")
    secret = shown.removeprefix(_SCHEME).strip() if shown.startswith(_SCHEME) else ""
    return tokens.recognise(secret, caller(request))


def _person(asker: Asker, named: Person) -> UUID | None:
    """The person meant; None when nobody here is."""
    if named.id is not None:
        return decisions.known(named.id)
    asker.demand("people:find")
    return ports.register().find(named.field, named.value, named.country or "")


def _refusal(problem: Problem) -> JsonResponse:
    if problem.status >= 500:
        _log.error(
            "a question could not be answered", extra={"fields": {"cause": problem.code, "status": problem.status}}
        )
    answer = JsonResponse(problem.document(), status=problem.status, content_type="application/problem+json")
    if problem.status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="lofte"'
    if problem.status == 429:
        answer["Retry-After"] = "60"
    return answer
