"""Roles as data: who may do what, which purposes they may state, and what a file of roles may not say."""

import pytest
from django.contrib.auth.models import Group, User

from lofte.core import roles
from lofte.core.models import Action
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
NAMES = "\n".join(f"      {locale}: role" for locale in LOCALES)
LEAD = f"""format: "1"
roles:
  lead:
    permissions: "*"
    purposes: "*"
    second_factor: true
    name:
{NAMES}
"""


def role(**lines):
    """A file with a lead and one role more, said in these lines."""
    said = {"permissions": "[promises.read]", "purposes": "[]", "second_factor": "false"} | lines
    return (
        LEAD + "  other:\n" + "".join(f"    {key}: {value}\n" for key, value in said.items()) + f"    name:\n{NAMES}\n"
    )


@pytest.fixture
def user(published):
    """An account with these roles: ``user("register")``."""

    def make(*held, name="bo"):
        made = User.objects.create_user(name)
        roles.give(made, held, by=roles.OPERATOR)
        return made

    return make


def test_the_shipped_roles_are_named_in_all_five_languages():
    assert all(roles.name(each, locale) != each for each in roles.declared() for locale in LOCALES)


def test_a_lead_may_everything_and_nobody_else_may_manage_roles(user):
    assert roles.permissions_of(user("lead")) == frozenset(roles.PERMISSIONS)
    assert [name for name, each in roles.declared().items() if "roles.manage" in each.grants()] == ["lead"]


def test_sales_and_marketing_hand_out_and_merge_nothing(user):
    held = roles.permissions_of(user("register"))

    assert {"people.search", "people.read", "people.write", "people.import"} <= held
    assert not held & {"people.export", "people.merge", "requests.read", "approvals.decide", "roles.manage"}


def test_an_account_without_a_role_may_nothing(user):
    assert roles.permissions_of(user()) == frozenset()


def test_a_closed_account_may_nothing(user):
    closed = user("lead")
    closed.is_active = False
    closed.save()

    assert roles.permissions_of(closed) == frozenset()
    assert roles.role_for(f"staff:{closed.pk}", "customer") == ("", frozenset())


def test_a_group_that_is_no_role_gives_nothing(user):
    odd = user()
    odd.groups.add(Group.objects.create(name="superheroes"))

    assert roles.roles_of(odd) == ()


def test_a_superuser_of_django_may_nothing_by_that(published):
    assert roles.permissions_of(User.objects.create_superuser("root")) == frozenset()


def test_sales_may_not_look_for_what_is_none_of_their_business(user):
    may = roles.purposes_of(user("register"))

    assert {"newsletter", "answers", "customer"} <= may
    assert "rights" not in may
    assert "portal" not in may


def test_request_handlers_look_for_the_sake_of_rights_and_nothing_else(user):
    assert roles.purposes_of(user("requests")) == {"rights"}


@pytest.mark.parametrize("held", ["operator", "auditors"])
def test_who_reaches_nobody_states_no_purpose(user, held):
    assert roles.purposes_of(user(held)) == frozenset()


@pytest.mark.parametrize("purpose", ["portal", "erasure", "security", "profiling", "statistics"])
def test_not_even_a_lead_looks_as_the_person_or_as_the_machine_or_for_nothing_declared(user, purpose):
    assert purpose not in roles.purposes_of(user("lead"))


def test_the_narrowest_fitting_role_says_who_looked(user):
    both = user("lead", "register")

    assert roles.role_for(f"staff:{both.pk}", "customer")[0] == "register"
    assert roles.role_for(f"staff:{both.pk}", "rights")[0] == "lead"


@pytest.mark.parametrize("actor", ["person", "outreach", "system"])
def test_the_person_and_code_have_no_role(actor):
    assert roles.role_for(actor, "customer") == ("", None)


@pytest.mark.parametrize("actor", ["staff:999999", "staff:", "staff:x"])
def test_an_actor_that_is_nobody_may_state_nothing(published, actor):
    assert roles.role_for(actor, "customer") == ("", frozenset())


def test_a_password_alone_opens_what_is_about_nobody(user):
    lead = user("lead")

    assert [each for each in roles.PERMISSIONS if not roles.wants_second_factor(lead, each)] == [
        "promises.read", "promises.check", "publications.read", "operation.read", "retention.read", "forms.read",
        "events.read", "materials.read", "campaigns.read", "records.read",
    ]  # fmt: skip


def test_a_demand_names_the_permission_that_is_missing(user):
    with pytest.raises(Problem) as refused:
        roles.demand(user("register"), "people.export")

    assert (refused.value.code, refused.value.status) == ("roles.not-allowed", 403)
    assert "people.export" in refused.value.detail


def test_a_permission_that_does_not_exist_is_a_mistake_in_the_code(user):
    with pytest.raises(ValueError):
        roles.demand(user("lead"), "people.everything")


def test_every_change_of_roles_is_kept(user):
    bo = user("register")
    roles.give(bo, ["register", "requests"], by="staff:1")

    row = Action.objects.filter(action="roles.changed").order_by("at").last()
    assert (row.actor, row.details) == (
        "staff:1", {"user": bo.pk, "before": "register", "after": "register,requests"},
    )  # fmt: skip


def test_a_role_given_twice_is_no_change(user):
    bo = user("register")
    before = Action.objects.count()

    roles.give(bo, ["register"], by="staff:1")
    assert Action.objects.count() == before


def test_an_auditor_is_not_staff_and_a_member_of_staff_is(user):
    bo = user("auditors")
    assert not bo.is_staff

    roles.give(bo, ["operator"], by="staff:1")
    assert bo.is_staff


def test_an_auditor_has_no_other_role(user):
    with pytest.raises(Problem, match=r"roles\.unfit"):
        user("auditors", "lead")


def test_a_role_that_does_not_exist_is_refused_with_those_that_do(user):
    with pytest.raises(Problem) as refused:
        user("king")

    assert refused.value.code == "roles.unknown"
    assert "lead, register, requests" in refused.value.expected


# --- a file of one's own --------------------------------------------------------------------------------------------


def test_a_file_in_the_data_directory_replaces_the_shipped_roles(home, user):
    (home / "roles.yaml").write_text(role(permissions="[people.read]", purposes="[customer]", second_factor="true"))

    assert list(roles.declared()) == ["lead", "other"]
    assert roles.purposes_of(user("other")) == {"customer"}


def test_a_changed_file_counts_at_once(home):
    (home / "roles.yaml").write_text(LEAD)
    assert list(roles.declared()) == ["lead"]

    (home / "roles.yaml").write_text(role())
    assert list(roles.declared()) == ["lead", "other"]


FAULTS = {
    "no YAML": ("roles: [", "the file of roles is not YAML"),
    "nothing": ("", ""),
    "a key nobody knows": (role(colour="blue"), "roles.other.colour"),
    "a permission nobody knows": (role(permissions="[people.love]"), "there is no permission people.love"),
    "people by password alone": (role(permissions="[people.read]"), "a password alone is not enough"),
    "without, from a list": (role(without="[customer]"), "without takes away from all purposes"),
    "a language short": (role().replace("      fi: role\n", ""), "the role has no name in fi"),
    "a name with spaces": (role().replace("  other:", "  other one:"), "a role has a short name"),
    "nobody who manages roles": (LEAD.replace('"*"', "[promises.read]", 1), "no role may manage roles"),
    "a staff-like auditor": (role(permissions="[operation.read]").replace("  other:", "  auditors:"), "operation.read"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_with_a_fault_lets_nobody_in_and_says_what_is_wrong(home, user, fault):
    text, expected = FAULTS[fault]
    lead = user("lead")
    (home / "roles.yaml").write_text(text)

    with pytest.raises(Problem) as refused:
        roles.permissions_of(lead)
    assert refused.value.code == "roles.unreadable"
    assert expected in str(refused.value)
