"""`lofte staff`: who may enter the console. Passwords are made here and shown once."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from lofte.cli import staff
from lofte.cli.main import main
from lofte.core import roles
from lofte.core.models import Action

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def password(entered, capsys) -> str:
    """The password `lofte staff add anna` shows."""
    assert main(["staff", "add", "anna"]) == 0
    return capsys.readouterr().out.partition("password: ")[2].strip()


def test_a_new_member_of_staff_can_log_in_with_the_password_shown(password: str) -> None:
    user = authenticate(username="anna", password=password)

    assert user is not None
    assert user.is_staff
    assert not user.is_superuser


def test_a_password_is_long_and_has_no_letters_that_read_alike(password: str) -> None:
    assert len(password) == 23
    assert not set("l1o0") & set(password)


def test_two_passwords_differ() -> None:
    assert staff.make_password() != staff.make_password()


def test_the_password_is_kept_only_as_a_hash(password: str) -> None:
    assert password not in User.objects.get(username="anna").password


def test_a_name_that_is_taken_is_refused_with_the_way_out(password: str, capsys) -> None:
    assert main(["staff", "add", "anna"]) == 1

    said = capsys.readouterr().err
    assert "error[staff.taken]" in said
    assert "lofte staff password anna" in said
    assert authenticate(username="anna", password=password) is not None


def test_a_new_password_ends_the_old_one(password: str, capsys) -> None:
    assert main(["staff", "password", "anna"]) == 0

    fresh = capsys.readouterr().out.partition("password: ")[2].strip()
    assert authenticate(username="anna", password=password) is None
    assert authenticate(username="anna", password=fresh) is not None


def test_nobody_gets_a_password_under_an_unknown_name(entered, capsys) -> None:
    assert main(["staff", "password", "nobody"]) == 1
    assert "error[staff.unknown]" in capsys.readouterr().err


def test_staff_are_listed_with_their_second_factor(password: str, capsys) -> None:
    assert main(["staff", "add", "bo"]) == 0
    capsys.readouterr()

    assert main(["staff", "list"]) == 0
    assert capsys.readouterr().out == "anna\tno role\tpassword only\nbo\tno role\tpassword only\n"


def test_nobody_is_listed_in_an_empty_house(entered, capsys) -> None:
    assert main(["staff", "list"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("action", ["add", "password"])
def test_a_name_must_be_given(action: str, entered, capsys) -> None:
    assert main(["staff", action]) == 1
    assert f"error[staff.no-name]: staff {action} needs a name" in capsys.readouterr().err


def test_an_action_that_does_not_exist_is_not_understood(entered) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["staff", "remove", "anna"])

    assert ended.value.code == 2


def test_the_first_password_is_the_same_at_the_second_start(entered) -> None:
    first = staff.first(entered, "lead")

    assert staff.first(entered, "lead") == first
    assert authenticate(username="lead", password=first) is not None


def test_the_first_password_is_readable_by_its_owner_alone(entered) -> None:
    staff.first(entered, "lead")

    kept = entered / "keys" / "first-password-of-lead"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_lost_first_password_is_made_anew(entered) -> None:
    lost = staff.first(entered, "lead")
    (entered / "keys" / "first-password-of-lead").unlink()

    fresh = staff.first(entered, "lead")
    assert fresh != lost
    assert authenticate(username="lead", password=fresh) is not None


@pytest.mark.django_db(databases=["default", "keys"])
def test_an_auditor_is_an_account_that_is_not_staff(entered, capsys):
    main(["staff", "add", "nora", "--auditor"])
    main(["staff", "list"])

    assert "nora\tauditors\tpassword only" in capsys.readouterr().out


# --- roles, second factor, closing ----------------------------------------------------------------------------------


def test_an_account_is_made_with_its_roles(entered, capsys):
    assert main(["staff", "add", "anna", "--role", "register", "--role", "requests"]) == 0
    main(["staff", "list"])

    assert "anna\tregister, requests\tpassword only" in capsys.readouterr().out


def test_a_role_that_does_not_exist_makes_no_account(entered, capsys):
    assert main(["staff", "add", "anna", "--role", "king"]) == 1
    assert "error[roles.unknown]: there is no role king" in capsys.readouterr().err
    assert not User.objects.filter(username="anna").exists()


def test_roles_are_shown_given_and_taken(password: str, capsys):
    main(["staff", "roles", "anna"])
    assert "  register\tsales and marketing" in capsys.readouterr().out

    assert main(["staff", "roles", "anna", "register", "operator"]) == 0
    said = capsys.readouterr().out
    assert "* register\tsales and marketing" in said
    assert "* operator\toperations" in said

    assert main(["staff", "roles", "anna", "none"]) == 0
    assert "*" not in capsys.readouterr().out


def test_whoever_leads_first_is_a_lead(entered):
    staff.first(entered, "lead")
    assert roles.roles_of(User.objects.get(username="lead")) == ("lead",)

    roles.give(User.objects.get(username="lead"), [], by=roles.OPERATOR)
    staff.first(entered, "lead")
    assert roles.roles_of(User.objects.get(username="lead")) == ("lead",)


def test_a_lost_second_factor_is_forgotten_with_the_password(password: str, capsys):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from allauth.mfa.utils import is_mfa_enabled

    user = User.objects.get(username="anna")
    TOTP.activate(user, generate_totp_secret())
    assert main(["staff", "reset-factor", "anna"]) == 0

    fresh = capsys.readouterr().out.partition("password: ")[2].strip()
    assert not is_mfa_enabled(user)
    assert authenticate(username="anna", password=password) is None
    assert authenticate(username="anna", password=fresh) is not None


def test_a_closed_account_cannot_sign_in_until_it_is_opened_again(password: str, capsys):
    assert main(["staff", "close", "anna"]) == 0
    assert authenticate(username="anna", password=password) is None
    main(["staff", "list"])
    assert "anna\tclosed\t" in capsys.readouterr().out

    assert main(["staff", "reopen", "anna"]) == 0
    assert authenticate(username="anna", password=password) is not None


def test_what_is_done_at_the_shell_is_kept(password: str):
    main(["staff", "roles", "anna", "register"])
    main(["staff", "reset-factor", "anna"])
    main(["staff", "password", "anna"])
    main(["staff", "close", "anna"])
    main(["staff", "reopen", "anna"])

    kept = Action.objects.filter(actor="operator:shell").order_by("at", "id").values_list("action", flat=True)
    assert list(kept) == [
        "staff.added", "roles.changed", "staff.factor-reset", "staff.password-renewed", "staff.closed", "staff.reopened",
    ]  # fmt: skip


def test_roles_after_the_name_belong_to_the_command_for_roles(entered, capsys):
    assert main(["staff", "add", "anna", "lead"]) == 1
    assert "--role ROLE" in capsys.readouterr().err
