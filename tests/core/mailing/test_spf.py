"""SPF as a receiver judges it: the examples of RFC 7208, appendix A, and what goes wrong in records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.core.mailing import spf
from lofte.core.mailing.names import Unanswered


@dataclass
class Zone:
    """A domain name system of a few lines. A name in ``silent`` gets no answer."""

    txt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    a: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mx: Mapping[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    ptr: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()

    def _of(self, records, name):
        if name in self.silent:
            raise Unanswered
        return records.get(name, ())

    def texts(self, name):
        return self._of(self.txt, name)

    def addresses(self, name, version):
        return tuple(each for each in self._of(self.a, name) if (":" in each) == (version == 6))

    def mail_servers(self, name):
        return self._of(self.mx, name)

    def names_of(self, address):
        return self._of(self.ptr, address)


RFC = Zone(
    a={
        "example.com": ("192.0.2.10", "192.0.2.11"), "amy.example.com": ("192.0.2.65",), "bob.example.com": ("192.0.2.66",),
        "mail-a.example.com": ("192.0.2.129",), "mail-b.example.com": ("192.0.2.130",), "mail-c.example.org": ("192.0.2.140",),
        "mary.mobile-users._spf.example.com": ("127.0.0.2",), "fred.mobile-users._spf.example.com": ("127.0.0.2",),
        "15.15.168.192.joel.remote-users._spf.example.com": ("127.0.0.2",),
    },
    mx={"example.com": ((10, "mail-a.example.com"), (20, "mail-b.example.com")), "example.org": ((10, "mail-c.example.org"),)},
    ptr={"192.0.2.65": ("amy.example.com",)},
)  # fmt: skip


def _with(record: str, **more: tuple[str, ...]) -> Zone:
    return Zone({"example.com": (record,), **more}, RFC.a, RFC.mx, RFC.ptr)


@pytest.mark.parametrize(
    ("record", "passing", "failing"),
    [
        ("v=spf1 +all", ["192.0.2.1", "2001:db8::1"], []),
        ("v=spf1 a -all", ["192.0.2.10", "192.0.2.11"], ["192.0.2.129"]),
        ("v=spf1 a:example.org -all", [], ["192.0.2.10"]),
        ("v=spf1 mx -all", ["192.0.2.129", "192.0.2.130"], ["192.0.2.10"]),
        ("v=spf1 mx:example.org -all", ["192.0.2.140"], ["192.0.2.129"]),
        ("v=spf1 mx mx:example.org -all", ["192.0.2.129", "192.0.2.130", "192.0.2.140"], ["192.0.2.10"]),
        ("v=spf1 mx/30 mx:example.org/30 -all", ["192.0.2.131", "192.0.2.143"], ["192.0.2.132"]),
        ("v=spf1 ptr -all", ["192.0.2.65"], ["192.0.2.140", "10.0.0.4"]),
        ("v=spf1 ip4:192.0.2.128/28 -all", ["192.0.2.129"], ["192.0.2.65"]),
        ("v=spf1 ip6:2001:db8::/32 -all", ["2001:db8:1::5"], ["2001:db9::1", "192.0.2.1"]),
        ("V=SPF1 IP4:192.0.2.1 -ALL", ["192.0.2.1"], ["192.0.2.2"]),
        ("v=spf1 exists:%{ir}.%{l1r+-}.remote-users._spf.%{d} -all", ["192.168.15.15"], ["192.168.15.16"]),
    ],
)
def test_a_record_lets_in_whom_the_standard_says(record, passing, failing):
    for address in passing:
        assert spf.judge(address, "example.com", _with(record), "joel@example.com").result == "pass"
    for address in failing:
        assert spf.judge(address, "example.com", _with(record), "joel@example.com").result == "fail"


def test_include_passes_on_a_yes_and_goes_on_after_a_no():
    zone = _with("v=spf1 include:other.example -all", **{"other.example": ("v=spf1 ip4:198.51.100.1 -all",)})

    assert spf.judge("198.51.100.1", "example.com", zone).result == "pass"
    assert spf.judge("198.51.100.2", "example.com", zone).result == "fail"


def test_redirect_takes_the_whole_answer_of_another_domain():
    zone = _with("v=spf1 redirect=other.example", **{"other.example": ("v=spf1 ip4:198.51.100.1 ~all",)})

    assert spf.judge("198.51.100.1", "example.com", zone).result == "pass"
    assert spf.judge("198.51.100.2", "example.com", zone).result == "softfail"


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ?all", "neutral"),
        ("v=spf1", "neutral"),
        ("v=spf1 ~all", "softfail"),
        ("v=spf10 +all", "none"),
        ("else", "none"),
    ],
)
def test_the_other_answers(record, result):
    assert spf.judge("203.0.113.1", "example.com", _with(record)).result == result


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("v=spf1 ip4:not-an-address -all", "not-understood"),
        ("v=spf1 ip4:2001:db8::1 -all", "not-understood"),
        ("v=spf1 foo:bar -all", "not-understood"),
        ("v=spf1 exists:%{z}.example.com -all", "not-understood"),
        ("v=spf1 include:nothing.example -all", "empty-include"),
        ("v=spf1 redirect=nothing.example", "empty-redirect"),
        ("v=spf1 a:n1.example a:n2.example a:n3.example -all", "too-many-empty"),
        ("v=spf1 " + " ".join(f"mx:m{n}.example" for n in range(11)) + " -all", "too-many-empty"),
    ],
)
def test_a_record_that_is_wrong_fails_for_everybody_and_says_why(record, why):
    judged = spf.judge("203.0.113.1", "example.com", _with(record))

    assert (judged.result, judged.why) == ("permerror", why)


def test_more_than_ten_questions_are_too_many_also_in_a_circle():
    circle = Zone({"example.com": ("v=spf1 include:example.com -all",)})

    judged = spf.judge("203.0.113.1", "example.com", circle)
    assert (judged.result, judged.why) == ("permerror", "too-many-questions")


def test_two_records_are_none():
    judged = spf.judge("192.0.2.1", "example.com", Zone({"example.com": ("v=spf1 +all", "v=spf1 -all")}))

    assert (judged.result, judged.why) == ("permerror", "two-records")


def test_silence_is_neither_yes_nor_no():
    zone = Zone({"example.com": ("v=spf1 include:dead.example -all",)}, silent=frozenset({"dead.example"}))

    assert spf.judge("192.0.2.1", "example.com", zone).result == "temperror"


@given(
    st.lists(
        st.sampled_from(
            ["a", "mx", "ip4:192.0.2.0/24", "-ip4:10.0.0.0/8", "~all", "?a:x", "include:o", "%", "=", "ip6:x"]
        ),
        max_size=14,
    )
)
def test_whatever_a_record_says_there_is_an_answer(terms):
    zone = _with(" ".join(["v=spf1", *terms]), o=("v=spf1 include:example.com",))

    judged = spf.judge("192.0.2.10", "example.com", zone)
    assert judged.result in ("none", "neutral", "pass", "fail", "softfail", "temperror", "permerror")
    assert judged.questions <= 11
