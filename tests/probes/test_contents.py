"""What is read out of a kept value: its kinds, whatever it is wrapped in, and nothing out of noise."""

import pytest

from lofte.probes.instruments.contents import kinds_of


@pytest.mark.parametrize(
    "value, kinds",
    [
        ("GA1.1.1234567890.1790000000", {"time"}),
        ("GS2.1.s1790000000$o1$g0", set()),
        ("someone%40example.org", {"email"}),
        ("c29tZW9uZUBleGFtcGxlLm9yZw==", {"email"}),
        ('{"at":1790000000123,"from":"https://example.org/a"}', {"time", "address"}),
        ("%2B46701234567", {"phone"}),
        ("ip=192.0.2.17&v=1.2.3", {"ip"}),
        ("v1.S2Vlcmd3ZGZnaGpr.statistics~marketing.0123456789abcdef.12.aGVsbG8", set()),
        ("", set()),
    ],
)
def test_kinds_of_data_are_found_in_what_browsers_keep(value, kinds):
    assert kinds_of(value) == kinds
