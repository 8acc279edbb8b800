"""Whose an address is: a person's whenever in doubt."""

import pytest

from lofte.rules.addresses import who
from lofte.rules.marketing import Who


@pytest.mark.parametrize(
    "address, company, expected",
    [
        ("kari@nordmann.example", "Nordmann AS", Who.WORK_ADDRESS),
        ("Post@Nordmann.example", "Nordmann AS", Who.COMPANY),
        ("info+news@nordmann.example", "Nordmann AS", Who.COMPANY),
        ("info@nordmann.example", "", Who.NATURAL),
        ("info@gmail.com", "Nordmann AS", Who.NATURAL),
        ("kari@gmail.com", "Nordmann AS", Who.NATURAL),
        ("no address", " ", Who.NATURAL),
    ],
)
def test_an_address_is_a_companys_only_where_that_shows(address, company, expected):
    assert who(address, company) is expected
