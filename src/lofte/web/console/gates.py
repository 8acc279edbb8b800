"""What lets data go abroad, and who may ask: transfer tools with their proof, and tokens of other systems.

Decides nothing: `core.gates` does. Who sees the records sees the tools; recording, ending and tokens have their own permissions.
"""

from datetime import date
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.core import clock
from lofte.core.country import Kind
from lofte.core.gates import tokens, tools
from lofte.core.gates.models import Token, Tool
from lofte.core.publication import current
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.values import country, day, joined
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs

# --- transfer tools -------------------------------------------------------------------------------------------------


_OF_A_RECIPIENT = ("recipient", "country", "proof")
_NEEDED = {
    Kind.LISTING.value: (*_OF_A_RECIPIENT, "until"),
    Kind.CLAUSES.value: (*_OF_A_RECIPIENT, "assessed"),
    Kind.RULES.value: (*_OF_A_RECIPIENT, "assessed"),
    Kind.SCOPE.value: (*_OF_A_RECIPIENT, "facts"),
    Kind.CONFIRMATION.value: ("proof",),
    Kind.STOP.value: (),
}
"""What each kind cannot do without, beside kind, reference and day; `tools.record` demands the same."""


class ToolForm(forms.Form):
    kind = forms.ChoiceField()
    recipient = forms.ChoiceField(required=False)
    country = forms.CharField(required=False, max_length=2)
    reference = forms.CharField(max_length=120)
    proof = forms.CharField(required=False, max_length=500)
    digest = forms.RegexField(r"^[0-9A-Fa-f]{64}$", required=False)
    since = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    assessed = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    covers_hr = forms.BooleanField(required=False)
    uk_since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    uk_until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    facts = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=500)

    _HELPED = ("country", "reference", "proof", "until", "assessed", "facts")

    def __init__(self, locale: str, *rest: Any, **named: Any) -> None:
        super().__init__(*rest, **named)
        self._locale = locale
        recipients = current().policy.recipients
        kinds, chosen = self.fields["kind"], self.fields["recipient"]
        assert isinstance(kinds, forms.ChoiceField)
        assert isinstance(chosen, forms.ChoiceField)
        kinds.choices = [(each.value, say(locale, f"gates.transfers.kinds.{each.value}")) for each in Kind]
        chosen.choices = [
            ("", say(locale, "gates.transfers.every_recipient")),
            *((key, each.name) for key, each in recipients.items()),
        ]
        for name, field in self.fields.items():
            field.label = say(locale, f"gates.transfers.{name}")
            if name in self._HELPED:
                field.help_text = say(locale, f"gates.transfers.{name}_help")
            known = room_words(locale, "gates")
            for wrong in ("required", "invalid", "invalid_choice", "max_length"):
                key = "day" if wrong == "invalid" and isinstance(field, forms.DateField) else name
                if (said := f"transfers.error.{key}") in known:
                    field.error_messages[wrong] = known[said]
        for name in _NEEDED[self._kind()]:
            self.fields[name].required = True

    def _kind(self) -> str:
        """The kind chosen: what else is needed follows from it."""
        chosen = str(self.data.get("kind", "")) if self.is_bound else ""
        return chosen if chosen in _NEEDED else Kind.LISTING.value

    def wanted(self) -> tools.Wanted:
        found = self.cleaned_data
        facts = (line.partition("=") for line in found["facts"].splitlines() if line.strip())
        return tools.Wanted(
            kind=Kind(found["kind"]), since=found["since"], reference=found["reference"], recipient=found["recipient"],
            country=found["country"], until=found["until"], proof=found["proof"], digest=found["digest"],
            assessed=found["assessed"], covers_hr=found["covers_hr"], uk_since=found["uk_since"], uk_until=found["uk_until"],
            facts={name.strip(): said.strip() for name, sign, said in facts if sign and name.strip() and said.strip()},
        )  # fmt: skip

    def refuse(self, problem: Problem) -> None:
        """A refusal of the verb, shown at the field it is about."""
        key = problem.place.key if problem.place.key in self.fields else "reference"
        self.add_error(key, say(self._locale, f"gates.transfers.error.{key}"))


@require_safe
@needs("records.read")
def transfers(request: HttpRequest) -> HttpResponse:
    """What is on file, what runs out, and the form to record another."""
    return _tools_page(request, ToolForm(console_locale(request)))


@require_POST
@needs("transfers.manage")
def record(request: HttpRequest) -> HttpResponse:
    locale = console_locale(request)
    form = ToolForm(locale, request.POST)
    if not (form.is_valid() and _recorded(request, form)):
        return _tools_page(request, form)
    messages.success(request, say(locale, "gates.transfers.recorded"))
    return HttpResponseRedirect(reverse("console-transfers"))


def _recorded(request: HttpRequest, form: ToolForm) -> bool:
    """Whether it is on file now; a refusal stands in the form."""
    try:
        tools.record(form.wanted(), actor(request))
    except Problem as problem:
        if problem.code != "transfers.incomplete":
            raise
        form.refuse(problem)
        return False
    return True


def _tools_page(request: HttpRequest, form: ToolForm) -> HttpResponse:
    locale, words = console_locale(request), _ToolWords(console_locale(request), clock.now().date())
    shown = {
        "spot": "records", "tab": "transfers", "form": form,
        "alarms": words.alarms(), "all_well": say(locale, "gates.transfers.all_well", days=tools.warn_before().days),
        "tools": [words.line(row) for row in tools.all_of()], "declared": words.declared(),
        "kinds": [(say(locale, f"gates.transfers.kinds.{each}"), say(locale, f"gates.transfers.about.{each}")) for each in Kind],
    }  # fmt: skip
    return render(request, "lofte/console/transfers.html", shown, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("transfers.manage")
def end(request: HttpRequest, tool: UUID) -> HttpResponse:
    """Asks once more, then ends it."""
    locale, row = console_locale(request), tools.one(tool)
    if request.method == "POST":
        tools.end(tool, actor(request))
        messages.success(request, say(locale, "gates.transfers.ended_now"))
        return HttpResponseRedirect(reverse("console-transfers"))
    line = _ToolWords(locale, clock.now().date()).line(row)
    return render(request, "lofte/console/transfer_end.html", {"spot": "records", "tab": "transfers", "tool": line})


class _ToolWords:
    """Tools in one language, on a day."""

    def __init__(self, locale: str, today: date) -> None:
        self._locale, self._today = locale, today
        self._recipients = current().policy.recipients

    def alarms(self) -> list[dict[str, Any]]:
        found = [
            {"is_over": each.is_over, "said": self._alarm("over" if each.is_over else "ending", each.about, each.country,
             kind=self._kind(each.kind), day=day(self._locale, each.until))}
            for each in tools.running_out(self._today)
        ]  # fmt: skip
        lacking = [{"is_over": True, "said": self._denied(each)} for each in tools.denied(self._today)]
        return [*lacking, *found]

    def _denied(self, each: tools.Denied) -> str:
        declared = current().policy.markets
        markets = joined(self._locale, [country(self._locale, declared[market].country) for market in each.markets])
        reason = say(self._locale, f"law.reason.{each.reason}")
        return self._alarm("denied", each.recipient, each.country, reason=reason, markets=markets)

    def _alarm(self, key: str, recipient: str, code: str, **slots: str) -> str:
        return self._say(key, name=self._name(recipient), country=self._country(code), **slots)

    def line(self, row: Tool) -> dict[str, Any]:
        extra = [self._say("with_hr")] if row.covers_hr else []
        extra += [f"{name}={said}" for name, said in row.facts.items()]
        if row.assessed:
            extra.append(self._say("assessed_on", day=day(self._locale, row.assessed)))
        return {
            "id": row.pk, "recipient": self._name(row.recipient), "country": self._country(row.country),
            "kind": self._kind(row.kind), "reference": row.reference, "extra": ", ".join(extra),
            "valid": self._valid(row.since, row.until), **self._state(row),
            "proof": row.proof, "link": row.proof if urlsplit(row.proof).scheme == "https" else "", "can_end": row.ended_on is None,
        }  # fmt: skip

    def declared(self) -> list[dict[str, Any]]:
        """What the policy itself says of transfers, beside what proves it."""
        denied = {(each.recipient, each.country) for each in tools.denied(self._today)}
        return [
            {
                "recipient": declared.name,
                "country": self._country(each.country),
                "kind": self._kind(each.tool.value),
                "reference": each.reference,
                "until": date.fromisoformat(each.valid_to) if each.valid_to else None,
                "lacks": (name, each.country) in denied,
            }
            for name, declared in self._recipients.items()
            for each in declared.transfers
        ]

    def _state(self, row: Tool) -> dict[str, str]:
        seen = tools.seen(row)
        if row.ended_on is not None:
            key, status = "ended", "unproved"
        elif seen.holds(self._today):
            key, status = "holds", "kept"
        else:
            key, status = ("to_come", "unproved") if row.since > self._today else ("over", "broken")
        return {"state": self._say(f"states.{key}"), "status": status}

    def _valid(self, since: date, until: date | None) -> str:
        if until is None:
            return self._say("from", day=day(self._locale, since))
        return self._say("between", first=day(self._locale, since), last=day(self._locale, until))

    def _kind(self, kind: str) -> str:
        return self._say(f"kinds.{kind}")

    def _name(self, recipient: str) -> str:
        if not recipient:
            return self._say("every_recipient")
        return self._recipients[recipient].name if recipient in self._recipients else recipient

    def _country(self, code: str) -> str:
        return country(self._locale, code) if code else self._say("every_country")

    def _say(self, key: str, **slots: object) -> str:
        return say(self._locale, f"gates.transfers.{key}", **slots)


# --- tokens ---------------------------------------------------------------------------------------------------------


class TokenForm(forms.Form):
    name = forms.CharField(max_length=64)
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    days = forms.IntegerField(min_value=1, max_value=tokens.LONGEST_DAYS, initial=tokens.DEFAULT_DAYS)
    per_minute = forms.IntegerField(min_value=1, max_value=tokens.MOST_PER_MINUTE, initial=tokens.DEFAULT_PER_MINUTE)

    def __init__(self, locale: str, *rest: Any, **named: Any) -> None:
        super().__init__(*rest, **named)
        for name, field in self.fields.items():
            field.label = say(locale, f"gates.tokens.{name}")
        self.fields["name"].help_text = say(locale, "gates.tokens.name_help")
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [(each, _scope(locale, each)) for each in tokens.SCOPES]


@require_http_methods(["GET", "HEAD", "POST"])
@needs("tokens.manage")
def token_list(request: HttpRequest) -> HttpResponse:
    """The tokens. A new one is shown in the answer to the form that made it, and nowhere else: it is never at rest."""
    locale, at = console_locale(request), clock.now()
    form = TokenForm(locale, request.POST or None)
    fresh = _made(request, form) if request.method == "POST" and form.is_valid() else None
    refused = request.method == "POST" and fresh is None
    return render(request, "lofte/console/tokens.html", {
        "spot": "records", "tab": "tokens", "form": form if refused else TokenForm(locale), "refused": refused, "fresh": fresh,
        "tokens": [_token(locale, row, tokens.state_of(row, at)) for row in tokens.all_of()],
    }, status=422 if refused else 200)  # fmt: skip


def _made(request: HttpRequest, form: TokenForm) -> dict[str, str] | None:
    given = form.cleaned_data
    try:
        secret = tokens.add(
            given["name"], given["scopes"], by=actor(request), days=given["days"], per_minute=given["per_minute"]
        )
    except Problem as problem:
        if problem.code != "token.unfit":
            raise
        return None
    return {"name": given["name"], "secret": secret}


@require_POST
@needs("tokens.manage")
def revoke(request: HttpRequest, token: UUID) -> HttpResponse:
    tokens.revoke(token, actor(request))
    messages.success(request, say(console_locale(request), "gates.tokens.revoked_now"))
    return HttpResponseRedirect(reverse("console-tokens"))


def _token(locale: str, row: Token, state: str) -> dict[str, Any]:
    return {
        "id": row.pk, "name": row.name, "scopes": [_scope(locale, each) for each in row.scopes],
        "per_minute": row.per_minute, "expires_at": row.expires_at, "last_used": row.last_used, "is_open": state == "open",
        "state": say(locale, f"gates.tokens.states.{state}"),
        "status": {"open": "kept", "expired": "broken"}.get(state, "unproved"),
    }  # fmt: skip


def _scope(locale: str, scope: str) -> str:
    return say(locale, f"gates.tokens.scope.{scope.replace(':', '_')}")
