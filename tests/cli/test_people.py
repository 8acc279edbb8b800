"""`lofte people`: a list is shown what it would do before it does it, and no value is repeated on the screen."""

import pytest
from django.contrib.auth.models import User

from lofte.cli.main import main
from lofte.core import approvals, roles
from lofte.core.models import Person
from lofte.features.register import reads
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
LIST = "E-post,name,company,Shoe\nola@example.no,Ola Dunk,Fjord AS,43\nnonsense,Per,,\n"


@pytest.fixture
def people(entered, published, tmp_path):
    """The command as Anna of the staff gives it."""
    roles.give(User.objects.create_user("anna"), ["lead"], by=roles.OPERATOR)
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")

    def run(action, *more, file="list.csv", by="anna"):
        into = (
            "--market",
            "NO",
            "--locale",
            "nb",
            "--source",
            "fair-2026",
            "--relation",
            "customer",
            "--column",
            "E-post=email",
        )
        given = into if action == "import" else ()
        return main(["people", action, str(tmp_path / file), "--purpose", "customer", "--by", by, *given, *more])

    return run


def test_an_import_first_tells_what_would_happen(people, capsys):
    assert people("import") == 1

    said = capsys.readouterr().out
    assert "columns: E-post as email, name as name, company as company\nleft out: Shoe\n" in said
    assert "3\trefused\tE-post\tno mail address\n2\tnew\t\t\n1 new, 0 merged, 1 refused; nothing was written" in said
    assert "ola" not in said.lower()
    assert not Person.objects.exists()


def test_an_import_with_a_refused_row_writes_nothing(people, capsys):
    assert people("import", "--apply") == 1
    assert "error[people.refused]: 1 of 2 rows" in capsys.readouterr().err
    assert not Person.objects.exists()


def test_the_other_rows_are_taken_in_when_asked_for(people, capsys):
    assert people("import", "--apply", "--leave-out-refused") == 0
    assert "1 new, 0 merged, 1 refused; taken in" in capsys.readouterr().out
    assert reads.person_of("email", "ola@example.no")


@pytest.mark.parametrize("name", ["out.csv", "out.vcf"])
def test_people_leave_in_a_file_only_its_owner_reads(people, tmp_path, capsys, name):
    people("import", "--apply", "--leave-out-refused")
    agree(people, name)

    assert people("export", file=name) == 0
    assert "1 people written" in capsys.readouterr().out
    assert "ola@example.no" in (tmp_path / name).read_text(encoding="utf-8")
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert [each.by for each in reads.looks_of(reads.person_of("email", "ola@example.no"))] == [
        f"staff:{User.objects.get(username='anna').pk}"
    ]


def agree(people, file, approves=True):
    """Anna asks, Eva decides."""
    assert people("export", file=file) == 1
    eva = User.objects.filter(username="eva").first() or User.objects.create_user("eva")
    roles.give(eva, ["lead"], by=roles.OPERATOR)
    approvals.decide(approvals.waiting()[0].id, f"staff:{eva.pk}", approves)


def test_a_list_leaves_the_shell_once_and_only_when_somebody_else_agreed(people, tmp_path, capsys):
    people("import", "--apply", "--leave-out-refused")
    capsys.readouterr()

    assert people("export", file="out.csv") == 1
    assert people("export", file="out.csv") == 1  # asked again, it is the same request
    assert "somebody else must agree in the console" in capsys.readouterr().err
    assert len(approvals.waiting()) == 1
    with pytest.raises(Problem, match=r"approvals\.own"):
        approvals.decide(approvals.waiting()[0].id, f"staff:{User.objects.get(username='anna').pk}", True)
    agree(people, "out.csv")
    assert people("export", file="out.vcf") == 1  # they agreed to another form
    assert people("export", file="out.csv") == 0
    (tmp_path / "out.csv").unlink()
    assert people("export", file="out.csv") == 1
    assert not list(tmp_path.glob("*out*"))


def test_a_list_that_was_declined_stays(people, tmp_path):
    agree(people, "out.csv", approves=False)

    assert people("export", file="out.csv") == 1
    assert not list(tmp_path.glob("*out*"))


def test_a_refused_export_leaves_no_file(people, tmp_path, capsys):
    assert main(["people", "export", str(tmp_path / "out.csv"), "--purpose", "profiling", "--by", "anna"]) == 1
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--source", "The Fair"], "people.source"),
        (["--column", "email"], "people.no-column"),
        (["--by", "nobody"], "staff.unknown"),
    ],
)
def test_what_is_not_understood_is_said(people, capsys, more, code):
    assert people("import", *more) == 1
    assert f"error[{code}]" in capsys.readouterr().err


def test_a_list_leaves_only_by_somebody_whose_role_hands_out_lists(people, capsys):
    roles.give(User.objects.create_user("bo"), ["register"], by=roles.OPERATOR)

    assert people("export", file="out.csv", by="bo") == 1
    assert "error[roles.not-allowed]" in capsys.readouterr().err
