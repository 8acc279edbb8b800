"""Approvals and roles in the console: one asks, another decides, and each role opens its own pages."""

import pytest
from django.contrib.auth.models import User
from django.urls import get_resolver

from lofte.core import approvals, roles
from lofte.features.register import reads as register

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
EN = {"HTTP_ACCEPT_LANGUAGE": "en"}
LOCALES = {"sv": "Godkännanden", "nb": "Godkjenninger", "fi": "Hyväksynnät", "en-GB": "Approvals", "en-US": "Approvals"}
PAGES = {
    "/console/": "promises.read",
    "/console/publications/": "publications.read",
    "/console/operation/": "operation.read",
    "/console/people/": "people.search",
    "/console/approvals/": "approvals.decide",
    "/console/staff/": "roles.manage",
}


@pytest.fixture
def bo(xledger, log, member):
    """Another data protection lead."""
    return member("bo", "lead")


def number(name):
    return User.objects.get(username=name).pk


def ask_for(staff, name, *held):
    return staff.post(f"/console/staff/{number(name)}/", {"role": list(held)}, follow=True, **EN)


@pytest.mark.parametrize("role", ["lead", "register", "requests", "operator"])
@pytest.mark.parametrize("path", PAGES)
def test_each_role_opens_its_own_pages_and_no_others(xledger, log, member, path, role):
    client = member("cia", role)
    shown = client.get(path)
    granted = PAGES[path] in roles.declared()[role].grants()
    if path == "/console/approvals/" and role == "requests":
        granted = True  # who may ask for an erasure sees what became of it

    assert shown.status_code == (200 if granted else 403)


@pytest.mark.parametrize("role", ["lead", "register", "operator"])
def test_the_navigation_offers_what_the_role_may_open(xledger, log, member, role):
    shown = member("cia", role).get("/console/").content.decode()
    held = roles.declared()[role].grants()

    for path, permission in PAGES.items():
        if path not in ("/console/", "/console/publications/"):
            assert (f'href="{path}"' in shown) == (permission in held), path


def test_every_page_of_the_console_says_who_may_open_it():
    console = next(each for each in get_resolver().url_patterns if str(each.pattern) == "console/")
    open_to_readers = {
        "console", "console-promise", "console-publications", "console-evidence", "console-locale"
    }  # fmt: skip

    bare = [
        each.name
        for each in console.url_patterns
        if not getattr(each.callback, "permissions", ()) and each.name not in open_to_readers
    ]
    assert bare == []


@pytest.mark.parametrize("locale", LOCALES)
def test_the_pages_speak_every_language(staff, bo, locale):
    ask_for(staff, "bo", "register")
    asked = approvals.waiting()[0].id
    staff.post("/console/locale/", {"locale": locale, "next": "/console/"})

    for path in (
        "/console/approvals/",
        f"/console/approvals/{asked}/",
        "/console/staff/",
        f"/console/staff/{number('bo')}/",
    ):
        shown = staff.get(path)
        assert shown.status_code == 200
        assert f'<html lang="{locale}">' in shown.content.decode()
        assert LOCALES[locale] in shown.content.decode()
        assert roles.name("register", locale) in shown.content.decode()


def test_a_change_of_roles_waits_for_another_and_then_counts(staff, bo, member):
    cia = member("cia", "register")
    assert cia.get("/console/operation/").status_code == 403

    told = ask_for(staff, "cia", "register", "operator").content.decode()
    assert "Somebody else must approve it" in told
    assert cia.get("/console/operation/").status_code == 403

    asked = approvals.waiting()[0]
    answer = bo.post(f"/console/approvals/{asked.id}/", {"decision": "approve"}, follow=True, **EN)
    assert "Approved and done." in answer.content.decode()
    assert cia.get("/console/operation/").status_code == 200


def test_whoever_asked_is_offered_to_take_it_back_and_nothing_else(staff, bo):
    ask_for(staff, "bo", "register")
    path = f"/console/approvals/{approvals.waiting()[0].id}/"
    shown = staff.get(path, **EN).content.decode()

    assert 'value="approve"' not in shown
    assert "You asked for this yourself" in shown
    refused = staff.post(path, {"decision": "approve"}, **EN)
    assert refused.status_code == 403
    assert "You cannot approve what you asked for yourself" in refused.content.decode()
    assert "Taken back." in staff.post(path, {"decision": "withdraw"}, follow=True, **EN).content.decode()
    assert approvals.waiting() == []


def test_a_decision_is_one_of_three(staff, bo):
    ask_for(staff, "bo", "register")

    assert bo.post(f"/console/approvals/{approvals.waiting()[0].id}/", {"decision": "perhaps"}).status_code == 400


def test_a_decided_request_cannot_be_decided_again(staff, bo):
    ask_for(staff, "anna", "register")
    path = f"/console/approvals/{approvals.waiting()[0].id}/"
    bo.post(path, {"decision": "decline"})

    assert 'value="approve"' not in bo.get(path).content.decode()
    late = bo.post(path, {"decision": "approve"}, **EN)
    assert late.status_code == 409
    assert "This can no longer be decided" in late.content.decode()


def test_a_request_of_somebody_else_is_closed_to_who_may_not_decide(staff, bo, member):
    ask_for(staff, "bo", "register")
    asked = approvals.waiting()[0].id
    cia = member("cia", "requests")

    assert cia.get(f"/console/approvals/{asked}/").status_code == 403
    assert str(asked) not in cia.get("/console/approvals/").content.decode()


def test_what_waits_is_counted_in_the_navigation_of_who_can_decide(staff, bo):
    ask_for(staff, "anna", "register")

    assert '<span class="chip numbers">1</span>' in bo.get("/console/").content.decode()
    assert '<span class="chip numbers">' not in staff.get("/console/").content.decode()


@pytest.mark.parametrize(
    "held, said",
    [
        (["lead"], "has these roles already"),
        (["auditors", "register"], "can have no other role"),
    ],
)
def test_what_cannot_be_asked_for_is_told_at_once(staff, bo, held, said):
    answer = ask_for(staff, "bo", *held)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert approvals.waiting() == []


def test_two_changes_to_one_account_do_not_wait_beside_each_other(staff, bo):
    ask_for(staff, "bo", "register")

    assert "already waiting" in ask_for(staff, "bo", "requests").content.decode()


def test_the_staff_page_tells_who_has_what_and_whether_a_second_factor_is_there(staff, member):
    member("cia", "register", factor=False)
    shown = staff.get("/console/staff/", **EN).content.decode()

    assert "sales and marketing" in shown
    assert shown.count("Connected") == 1
    assert "Missing" in shown


def test_an_account_that_is_not_there_is_not_found(staff):
    assert staff.get("/console/staff/999999/").status_code == 404


def test_the_search_offers_only_purposes_the_role_may_state(xledger, log, member):
    shown = member("cia", "register").get("/console/people/").content.decode()

    assert 'value="customer"' in shown
    assert 'value="rights"' not in shown
    assert 'value="legal-hold"' not in shown


def test_a_purpose_that_is_not_the_roles_shows_nothing_and_the_attempt_is_kept(member, subscriber):
    subscriber("astrid@example.se", name="Astrid Ek")
    cia = member("cia", "requests")
    person = register.person_of("email", "astrid@example.se")
    session = cia.session
    session["console_purpose"] = "newsletter"
    session.save()

    shown = cia.get(f"/console/people/{person}/")
    look = register.looks_of(person)[0]
    assert shown.status_code == 403
    assert "Astrid Ek" not in shown.content.decode()
    assert (look.role, look.purpose, look.allowed, look.reason) == (
        "requests",
        "newsletter",
        False,
        "not-their-purpose",
    )


def test_the_approver_can_look_at_whom_it_is_about_until_they_are_erased(staff, bo, subscriber):
    subscriber("astrid@example.se")
    person = register.person_of("email", "astrid@example.se")
    asked = approvals.ask("people.merge", f"staff:{number('anna')}", person)

    assert f'href="/console/people/{person}/"' in bo.get(f"/console/approvals/{asked}/").content.decode()
    approvals.forget(person, frozenset())
    assert str(person) not in bo.get(f"/console/approvals/{asked}/").content.decode()
