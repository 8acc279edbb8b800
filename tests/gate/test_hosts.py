import pytest

from lofte.gate.choice import Choice, decode, encode, shared
from lofte.gate.hosts import host_of, matches, shared_site, site_of


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


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("www.small.se", "small.se"),
        ("a.b.small.co.uk:8443", "small.co.uk"),
        ("me.github.io", "me.github.io"),
        ("github.io", ""),
        ("co.uk", ""),
        ("localhost", ""),
        ("127.0.0.1", ""),
        ("[::1]", ""),
        ("x;y.se", ""),
    ],
)
def test_a_site_is_what_somebody_registered(host, site):
    assert site_of(host) == site


@pytest.mark.parametrize(
    ("host", "declared", "site"),
    [
        ("www.small.se", {"small.se", "www.small.se"}, "small.se"),
        ("shop.small.se:8000", {"small.se"}, "small.se"),
        ("small.se", {"small.se"}, ""),
        ("www.small.se", {"other.se"}, ""),
        ("a.github.io", {"a.github.io", "b.github.io"}, ""),
        ("localhost", {"small.se"}, ""),
    ],
)
def test_hosts_the_policy_names_together_share_one_choice(host, declared, site):
    assert shared_site(host, frozenset(declared)) == site


def test_a_shared_choice_takes_the_place_of_the_host_s_own():
    assert shared(["lofte=v; Path=/"], "small.se") == ["lofte=; Max-Age=0; Path=/", "lofte=v; Path=/; Domain=small.se"]


def test_of_two_choices_the_latest_counts():
    key = b"k" * 32
    old, new = (encode(Choice("s", frozenset(granted), "d" * 16, n), key) for granted, n in ((["a"], 3), ([], 4)))

    assert decode(f"lofte={new}; lofte={old}", key) == decode(f"lofte={old}; lofte={new}", key)
    assert decode(f"lofte={old}; lofte={new}", key).index == 4
