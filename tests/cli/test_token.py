"""`lofte token`: made at the shell, shown once."""

import re

import pytest

from lofte.cli import main
from lofte.core.gates import tokens

pytestmark = pytest.mark.django_db


def test_a_token_is_made_listed_and_revoked(entered, capsys):
    assert main.main(["token", "add", "crm", "--scope", "decide:use,decide:send", "--scope", "people:find"]) == 0
    secret = re.search(r"lofte_\S+", capsys.readouterr().out).group()
    assert tokens.recognise(secret, "10.0.0.1").scopes == {"decide:use", "decide:send", "people:find"}

    assert main.main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert "crm\topen\tdecide:use,decide:send,people:find" in listed
    assert secret not in listed

    assert main.main(["token", "revoke", "crm"]) == 0
    assert main.main(["token", "list"]) == 0
    assert "crm\trevoked" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["token", "add"], "token.no-name"),
        (["token", "add", "crm"], "token.unfit"),
        (["token", "add", "crm", "--scope", "everything"], "token.unfit"),
        (["token", "revoke", "crm"], "token.unknown"),
    ],
)
def test_what_cannot_be_done_is_one_line(entered, capsys, arguments, said):
    assert main.main(arguments) == 1
    assert said in capsys.readouterr().err
