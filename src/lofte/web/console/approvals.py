"""What two people must agree on, and who has which role. Decides nothing: `core.approvals` and `core.roles` do."""

from typing import Any
from uuid import UUID

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from lofte.core import approvals, roles
from lofte.core.accounts import AUDITORS
from lofte.core.models import Action, Person
from lofte.core.publication import current
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs

# Whoever may ask for an act sees what became of it; deciding needs `approvals.decide`.
_MAY_SEE = (
    "approvals.decide", "retention.release", "people.export", "people.merge", "requests.work", "roles.manage", "sharing.manage",
)  # fmt: skip
_CHANGES_SHOWN = 20
_ABOUT = {
    "retention.release": "detail.plan",
    "rights.erase": "detail.request",
    "sharing.release": "detail.case",
}  # acts that are about a request, not about a person


@require_safe
@needs(*_MAY_SEE)
def waiting(request: HttpRequest) -> HttpResponse:
    me, may_decide = actor(request), _may_decide(request)
    words = _Words(console_locale(request))
    open_now = [each for each in approvals.waiting() if may_decide or each.asked_by == me]
    past = [each for each in approvals.history(50) if may_decide or each.asked_by == me]
    return render(request, "lofte/console/approvals.html", {
        "spot": "approvals",
        "waiting": [words.line(each) for each in open_now],
        "ready": [words.line(each) for each in approvals.ready(me)],
        "history": [words.line(each) for each in past],
    })  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*_MAY_SEE)
def approval(request: HttpRequest, approval: UUID) -> HttpResponse:
    """One request: what it would do, to whom, who asked; and the decision."""
    me, may_decide, locale = actor(request), _may_decide(request), console_locale(request)
    asked = approvals.one(approval)
    if not may_decide and asked.asked_by != me:
        raise Problem("approvals.not-yours", "this request is somebody else's", status=403)
    if request.method == "POST":
        said = _decided(request, asked, me)
        messages.success(request, say(locale, f"approvals.{said}"))
        return HttpResponseRedirect(reverse("console-approvals"))
    line = _Words(locale).line(asked)
    is_open, is_own = asked.state == "waiting", asked.asked_by == me
    return render(request, "lofte/console/approval.html", {
        "spot": "approvals", "asked": line, "own": is_own, "open": is_open, "may_decide": may_decide and is_open and not is_own,
    })  # fmt: skip


def _decided(request: HttpRequest, asked: approvals.Asked, me: str) -> str:
    """Do what the button said; returns the word for it."""
    match request.POST.get("decision", ""):
        case "approve":
            return approvals.decide(asked.id, me, True).state
        case "decline":
            return approvals.decide(asked.id, me, False).state
        case "withdraw":
            approvals.withdraw(asked.id, me)
            return "withdrawn"
    raise Problem("approvals.no-decision", "neither approved, declined nor taken back", status=400)


@require_safe
@needs("roles.manage")
def staff(request: HttpRequest) -> HttpResponse:
    words = _Words(console_locale(request))
    return render(request, "lofte/console/staff.html", {
        "spot": "staff",
        "accounts": [words.account(user) for user in User.objects.order_by("-is_active", "username")],
        "roles": [words.role(name, role) for name, role in roles.declared().items()],
        "changes": [
            words.change(row)
            for row in Action.objects.filter(action="roles.changed").order_by("-at")[:_CHANGES_SHOWN]
        ],
    })  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@needs("roles.manage")
def account(request: HttpRequest, account: int) -> HttpResponse:
    """The roles of one account. A change is asked for here; somebody else approves it."""
    locale = console_locale(request)
    user, words = User.objects.filter(pk=account).first(), _Words(locale)
    if user is None:
        raise Http404
    error = ""
    wanted = [name for name in roles.declared() if name in request.POST.getlist("role")]
    if request.method == "POST":
        error = _ask(user, wanted, actor(request))
        if not error:
            messages.success(request, say(locale, "approvals.staff.asked"))
            return HttpResponseRedirect(reverse("console-staff"))
    held = wanted if error else roles.roles_of(user)
    return render(
        request,
        "lofte/console/account.html",
        {
            "spot": "staff",
            "account": words.account(user),
            "error": say(locale, f"approvals.staff.{error}") if error else "",
            "roles": [words.role(name, role) | {"held": name in held} for name, role in roles.declared().items()],
        },
        status=422 if error else 200,
    )


def _ask(user: User, wanted: list[str], me: str) -> str:
    """Ask for the change; returns the word for what stands in its way, or an empty string."""
    if tuple(wanted) == roles.roles_of(user):
        return "same"
    if AUDITORS in wanted and len(wanted) > 1:
        return "auditor_alone"
    if any(each.act == "roles.change" and each.details.get("user") == user.pk for each in approvals.waiting()):
        return "already_waiting"
    approvals.ask("roles.change", me, user=user.pk, roles=",".join(wanted))
    return ""


def _may_decide(request: HttpRequest) -> bool:
    return "approvals.decide" in roles.permissions_of(request.user)


class _Words:
    """Requests, accounts and roles in one language."""

    def __init__(self, locale: str) -> None:
        self._locale = locale
        self._known = room_words(locale, "approvals")

    def line(self, asked: approvals.Asked) -> dict[str, Any]:
        act = asked.act.replace(".", "_")
        act = act if f"act.{act}.name" in self._known else "other"
        return {
            "id": asked.id,
            "act": asked.act,
            "name": self._say(f"act.{act}.name"),
            "lead": self._say(f"act.{act}.lead"),
            "details": [(self._detail_name(key), self._detail(key, value)) for key, value in asked.details.items()],
            "subjects": [
                (self._say(name), self._address(asked.act, key))
                for name, key in ((_ABOUT.get(asked.act, "person"), asked.about), ("other_person", asked.also))
                if key is not None
            ],
            "asked_by": self.who(asked.asked_by),
            "asked_at": asked.asked_at,
            "expires_at": asked.expires_at,
            "state": asked.state,
            "state_name": self._say(f"state.{asked.state}"),
            "decided_by": self.who(asked.decided_by) if asked.decided_by else "",
            "decided_at": asked.decided_at,
        }

    def _address(self, act: str, key: UUID) -> str:
        """Where the approver can look at what it is about; empty when it is gone."""
        if act == "retention.release":
            return reverse("console-brake")
        if act == "sharing.release":
            return reverse("console-case", args=(key,))
        if act in _ABOUT:
            return reverse("console-request", args=(key,))
        return reverse("console-person", args=(key,)) if Person.objects.filter(pk=key).exists() else ""

    def who(self, actor: str) -> str:
        if not actor.startswith("staff:"):
            return self._say("machine" if actor == roles.OPERATOR else "system")
        user = User.objects.filter(pk=int(actor.removeprefix("staff:"))).first()
        if user is None:
            return actor
        held = roles.roles_of(user)
        return self._say("by", name=user.username, role=self._names(held) or self._say("no_role"))

    def account(self, user: User) -> dict[str, Any]:
        return {
            "number": user.pk,
            "name": user.username,
            "is_open": user.is_active,
            "roles": self._names(roles.roles_of(user)),
            "has_factor": is_mfa_enabled(user),
            "last_login": user.last_login,
        }

    def role(self, name: str, role: roles.Role) -> dict[str, Any]:
        factor = {"always": "needs_factor_always", True: "needs_factor", False: "needs_no_factor"}[role.second_factor]
        return {
            "id": name,
            "name": roles.name(name, self._locale),
            "may": [
                self._say(f"permission.{each.replace('.', '_')}") for each in roles.PERMISSIONS if each in role.grants()
            ],
            "purposes": self._purposes(role),
            "factor": self._say(f"staff.{factor}"),
        }

    def change(self, row: Action) -> dict[str, Any]:
        user = User.objects.filter(pk=row.details.get("user")).first()
        before, after = (self._names(str(row.details.get(part, "")).split(",")) for part in ("before", "after"))
        nothing = self._say("no_role")
        name = user.username if user else str(row.details.get("user", ""))
        return {
            "said": self._say("staff.change_line", name=name, before=before or nothing, after=after or nothing),
            "who": self.who(row.actor),
            "at": row.at,
        }

    def _purposes(self, role: roles.Role) -> str:
        if role.purposes != "*":
            return ", ".join(self._purpose(each) for each in role.purposes) or self._say("staff.no_purpose")
        ours = current().policy.purposes
        taken = [self._purpose(each) for each in role.without if each in ours]
        return (
            self._say("staff.every_purpose_but", names=", ".join(taken)) if taken else self._say("staff.every_purpose")
        )

    def _purpose(self, key: str) -> str:
        try:
            return current().word(self._locale, "purposes", key, "name")
        except Problem:
            return key

    def _detail_name(self, key: str) -> str:
        return self._say(f"detail.{key}" if f"detail.{key}" in self._known else "detail.fact")

    def _detail(self, key: str, value: object) -> str:
        if key == "user":
            user = User.objects.filter(pk=str(value)).first()
            return user.username if user else str(value)
        if key == "roles":
            return self._names(str(value).split(",")) or self._say("no_role")
        return self._purpose(str(value)) if key == "purpose" else str(value)

    def _names(self, held: Any) -> str:
        return ", ".join(roles.name(each, self._locale) for each in held if each)

    def _say(self, key: str, **slots: object) -> str:
        return say(self._locale, f"approvals.{key}", **slots)
