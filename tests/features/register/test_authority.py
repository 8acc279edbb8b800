"""Who looks is kept with the role they had; what the role may not state is refused; restricted data is only stored."""

import pytest
from django.contrib.auth.models import User

from lofte.core import approvals, ports, roles
from lofte.features.register import reads, verbs
from lofte.features.rights import restriction
from lofte.features.rights import verbs as rights
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]


@pytest.fixture
def kari(somebody):
    return somebody()


@pytest.fixture
def member():
    def make(name, *held):
        user = User.objects.create_user(name)
        roles.give(user, held, by=roles.OPERATOR)
        return f"staff:{user.pk}"

    return make


def latest(person):
    return reads.looks_of(person)[0]


def test_the_look_keeps_the_role_and_a_later_change_does_not_rewrite_it(kari, member):
    bo = member("bo", "register")
    reads.holdings_of(kari, "customer", by=bo)
    roles.give(roles.user_of(bo), ["requests"], by=roles.OPERATOR)

    assert (latest(kari).by, latest(kari).role, latest(kari).allowed) == (bo, "register", True)


@pytest.mark.parametrize("purpose", ["customer", "answers", "portal", "erasure", "security"])
def test_a_request_handler_sees_nothing_for_the_sake_of_sales_or_as_somebody_else(kari, member, purpose):
    cia = member("cia", "requests")

    with pytest.raises(Problem) as refused:
        reads.holdings_of(kari, purpose, by=cia)
    assert (refused.value.code, refused.value.status, refused.value.law) == ("register.denied", 403, "GDPR 32(4)")
    assert (latest(kari).role, latest(kari).allowed, latest(kari).reason) == ("requests", False, "not-their-purpose")


def test_a_request_handler_sees_everything_for_the_sake_of_rights(kari, member):
    assert {each.field for each in reads.holdings_of(kari, "rights", by=member("cia", "requests"))} >= {"email", "name"}


@pytest.mark.parametrize("held", [(), ("operator",), ("auditors",)])
def test_who_reaches_nobody_sees_nobody(kari, member, held):
    with pytest.raises(Problem, match=r"register\.denied"):
        reads.holdings_of(kari, "customer", by=member("dan", *held))


@pytest.mark.parametrize("by", ["staff:999999", "staff:x", "staff:"])
def test_an_actor_that_is_nobody_sees_nobody(kari, by):
    with pytest.raises(Problem, match=r"register\.denied"):
        reads.holdings_of(kari, "customer", by=by)


def test_a_closed_account_sees_nobody(kari, member):
    bo = member("bo", "register")
    User.objects.filter(username="bo").update(is_active=False)

    with pytest.raises(Problem, match=r"register\.denied"):
        reads.holdings_of(kari, "customer", by=bo)


def test_everything_is_opened_only_for_what_the_law_demands(kari):
    with pytest.raises(Problem, match=r"register\.undeclared"):
        reads.open_all(kari, "customer", by="system")

    assert reads.open_all(kari, "security", by="probe")
    assert (latest(kari).by, latest(kari).purpose, latest(kari).reason) == ("probe", "security", "by-law")


def test_naming_a_person_to_a_connected_system_leaves_a_look(kari):
    ports.register().needles_of(kari, "rights", by="rights")

    assert (latest(kari).by, latest(kari).purpose) == ("rights", "rights")


def test_restricted_data_is_stored_and_not_used(kari, member):
    restriction.restrict(kari, "person")
    bo = member("bo", "register")

    with pytest.raises(Problem, match="restricted"):
        reads.holdings_of(kari, "customer", by=bo)
    assert (latest(kari).allowed, latest(kari).reason) == (False, "restricted")
    assert reads.holdings_of(kari, "portal", by="person")


def test_a_request_for_approval_does_not_outlive_the_person_it_names(somebody, log, member):
    anna, kari, ola = member("anna", "lead"), somebody(), somebody("ola@example.no", "Ola")
    verbs.begin_relation(ola, "prospect", market="NO", locale="nb")
    asked = approvals.ask("people.merge", anna, kari, also=ola)

    assert rights.erase(kari, by="person").is_complete
    assert rights.erase(ola, by="person").is_complete
    left = approvals.one(asked)
    assert (left.about, left.also, left.state) == (None, None, "expired")
