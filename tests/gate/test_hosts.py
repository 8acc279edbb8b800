import pytest

from lofte.gate.hosts import host_of, matches


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Count.test/a.js", "count.test"),
        ("//count.test/a.js", "count.test"),
        ("\\\\count.test\\a.js", "count.test"),
        ("/\\count.test", "count.test"),
        ("https:count.test", "count.test"),
        ("https:///count.test", "count.test"),
        ("\n ht\ttps:/\n/count.test", "count.test"),
        ("https://small.se@count.test/", "count.test"),
        ("https://count.test:443/", "count.test"),
        ("http://count.test:8080/", "count.test:8080"),
        ("https://count.test./", "count.test"),
        ("https://%63ount.test/", "count.test"),
        ("https://räksmörgås.test/", "xn--rksmrgs-5wao1o.test"),
        ("wss://count.test/s", "count.test"),
        ("/own/a.js", None),
        ("a.js", None),
        ("?q=//count.test", None),
        ("data:text/javascript,1", None),
        ("mailto:a@count.test", None),
        ("", None),
    ],
)
def test_a_host_is_read_as_browsers_read_it(address, host):
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("host", "pattern", "expected"),
    [
        ("a.count.test", "*.count.test", True),
        ("a.b.count.test", "*.count.test", True),
        ("count.test", "*.count.test", False),
        ("evilcount.test", "*.count.test", False),
        ("count.test:8080", "count.test", True),
        ("count.test.evil.test", "count.test", False),
    ],
)
def test_a_pattern_covers_what_it_says(host, pattern, expected):
    assert matches(host, pattern) is expected
