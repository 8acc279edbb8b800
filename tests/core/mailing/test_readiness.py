"""Whether the domain we send from is ready, told from a domain name system of a few lines."""

import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import dns.message
import dns.resolver
import dns.rrset
import pytest

from lofte.core.mailing import readiness, signing
from lofte.core.mailing.names import Dns, Unanswered
from lofte.core.mailing.readiness import Sender, State
from lofte.rules.catalogue import LOCALES, room_words, say

P = "v=DMARC1; p="
US = "203.0.113.7"


@dataclass
class Zone:
    txt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    a: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mx: Mapping[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    ptr: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_silent: bool = False

    def _of(self, records, name):
        if self.is_silent:
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


@pytest.fixture
def key(home):
    return signing.record_of(signing.make_key(home, "lofte", "news.example.se"))


@pytest.fixture
def sender(key):
    return Sender(
        domain="example.se", envelope="news.example.se", addresses=(US,), dkim=("lofte", "news.example.se"), key=key,
        relay="mail.example.se", relay_is_encrypted=True, takes_mail=True, origin="https://www.example.se",
    )  # fmt: skip


@pytest.fixture
def zone(key):
    """Everything as it should be."""
    return Zone(
        txt={
            "news.example.se": (f"v=spf1 ip4:{US} -all",), "lofte._domainkey.news.example.se": (key,),
            "_dmarc.example.se": (f"{P}quarantine; rua=mailto:dmarc@example.se",),
        },
        a={"mail.example.se": (US,), "mx.example.se": (US,)},
        mx={"example.se": ((10, "mx.example.se"),), "news.example.se": ((10, "mail.example.se"),)},
        ptr={US: ("mail.example.se",)},
    )  # fmt: skip


def _codes(sender, zone, greet=lambda host: "ready"):
    return {line.code: line.state for line in readiness.check(sender, zone, greet)}


def _txt(zone, **changes):
    return replace(zone, txt={**zone.txt, **{name.replace("__", "."): value for name, value in changes.items()}})


def test_a_domain_with_everything_in_place_is_ready(sender, zone):
    found = _codes(sender, zone)

    assert set(found.values()) == {State.READY}
    assert {code.split("_")[0] for code in found} == {"spf", "dkim", "dmarc", "alignment", "ptr", "mx", "tls", "one"}


def test_without_any_answer_everything_asked_is_unknown_and_nothing_ready(sender, zone):
    found = readiness.check(sender, replace(zone, is_silent=True), lambda host: "ready")

    assert {line.check for line in found if line.state is State.UNKNOWN} >= {"spf", "dkim", "dmarc", "ptr", "mx"}
    assert {line.check for line in found if line.state is State.READY} <= {"tls", "one_click"}


@pytest.mark.parametrize(
    ("record", "code", "state"),
    [
        ((), "spf_none", State.FAULT),
        (("v=spf1 ip4:198.51.100.1 -all",), "spf_leaves_out", State.FAULT),
        (("v=spf1 ip4:198.51.100.1 ~all",), "spf_leaves_out", State.FAULT),
        (("v=spf1 +all",), "spf_open", State.FAULT),
        (("v=spf1 include:gone.example -all",), "spf_broken", State.FAULT),
        (("v=spf1 -all", "v=spf1 +mx -all"), "spf_broken", State.FAULT),
    ],
)
def test_spf_says_what_is_wrong(sender, zone, record, code, state):
    assert _codes(sender, _txt(zone, news__example__se=record)).get(code) is state


def test_spf_of_an_unknown_address_is_unknown(sender, zone):
    assert _codes(replace(sender, addresses=(), relay="127.0.0.1"), zone)["spf_no_address"] is State.UNKNOWN


def test_the_public_address_of_the_mail_server_is_found_out(sender, zone):
    public = replace(zone, a={**zone.a, "mail.example.se": ("93.184.216.34",)})

    assert _codes(replace(sender, addresses=()), public)["spf_leaves_out"] is State.FAULT


@pytest.mark.parametrize(
    ("record", "code", "state"),
    [
        ((), "dkim_none", State.FAULT),
        (("v=DKIM1; k=rsa; p=",), "dkim_other_key", State.FAULT),
        (("v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ==",), "dkim_other_key", State.FAULT),
    ],
)
def test_dkim_says_what_is_wrong(sender, zone, record, code, state):
    changed = replace(zone, txt={**zone.txt, "lofte._domainkey.news.example.se": record})

    assert _codes(sender, changed)[code] is state


def test_dkim_off_without_a_key_and_in_testing(sender, zone, key):
    testing = replace(zone, txt={**zone.txt, "lofte._domainkey.news.example.se": (f"{key}; t=y",)})

    assert _codes(replace(sender, dkim=None), zone)["dkim_off"] is State.UNKNOWN
    assert _codes(replace(sender, key=""), zone)["dkim_no_key"] is State.FAULT
    assert _codes(sender, testing)["dkim_testing"] is State.WARNING


@pytest.mark.parametrize(
    ("records", "code", "state"),
    [
        ((), "dmarc_none", State.FAULT),
        ((f"{P}none",), "dmarc_watches", State.WARNING),
        ((f"{P}none; rua=mailto:a@b.example",), "dmarc_watches", State.READY),
        ((f"{P}reject",), "dmarc_ready", State.READY),
        ((f"{P}perhaps",), "dmarc_broken", State.FAULT),
        ((f"{P}none", f"{P}reject"), "dmarc_two", State.FAULT),
    ],
)
def test_dmarc_says_what_is_wrong(sender, zone, records, code, state):
    assert _codes(sender, _txt(zone, _dmarc__example__se=records))[code] is state


def test_a_domain_below_takes_the_policy_of_the_domain_above(sender, zone):
    below = replace(sender, domain="letters.example.se")
    found = readiness.check(below, _txt(zone, _dmarc__example__se=(f"{P}reject; sp=quarantine",)), lambda host: "ready")

    line = next(each for each in found if each.check == "dmarc")
    assert (line.code, line.facts["asked"], line.facts["at"]) == ("dmarc_ready", "quarantine", "_dmarc.example.se")


@pytest.mark.parametrize(
    ("changes", "record", "code"),
    [
        ({}, f"{P}none", "alignment_both"),
        ({"envelope": "bounces.provider.example"}, f"{P}none", "alignment_dkim"),
        ({"dkim": ("s", "provider.example")}, f"{P}none", "alignment_spf"),
        ({"dkim": None}, f"{P}none", "alignment_spf"),
        ({"dkim": ("s", "provider.example"), "envelope": "provider.example"}, f"{P}none", "alignment_none"),
        ({}, f"{P}none; aspf=s; adkim=s", "alignment_none"),
        ({"envelope": "example.se"}, f"{P}none; aspf=s; adkim=s", "alignment_spf"),
    ],
)
def test_the_domain_people_see_must_be_one_that_is_vouched_for(sender, zone, changes, record, code):
    spf = dict.fromkeys(("bounces.provider.example", "provider.example", "example.se"), ("v=spf1 -all",))
    changed = _txt(zone, _dmarc__example__se=(record,))
    assert code in _codes(replace(sender, **changes), replace(changed, txt={**spf, **changed.txt}))


def test_where_nothing_vouches_for_it_both_are_said_to_be_missing(sender):
    assert "alignment_missing" in _codes(replace(sender, dkim=None), Zone())


def test_two_domains_under_a_public_suffix_are_not_one(sender, zone):
    public = _txt(
        zone, _dmarc__se=("v=DMARC1; p=none; psd=y",), _dmarc__other__se=(f"{P}none",), news__other__se=("v=spf1 -all",)
    )
    sent = replace(sender, envelope="news.other.se", dkim=None)

    assert "alignment_none" in _codes(sent, public)


@pytest.mark.parametrize(
    ("names", "code"),
    [((), "ptr_none"), (("elsewhere.example",), "ptr_elsewhere"), (("mail.example.se",), "ptr_ready")],
)
def test_the_name_of_the_address_must_lead_back_to_it(sender, zone, names, code):
    assert code in _codes(sender, replace(zone, ptr={US: names}))


def test_mail_must_find_its_way_back(sender, zone):
    assert "mx_none" in _codes(sender, replace(zone, mx={"example.se": ((10, "mx.example.se"),)}))
    assert "mx_refuses" in _codes(sender, replace(zone, mx={**zone.mx, "example.se": ((0, ""),)}))
    assert "mx_implied" in _codes(
        sender, replace(zone, mx={"example.se": zone.mx["example.se"]}, a={**zone.a, "news.example.se": (US,)})
    )
    assert "mx_deaf" in _codes(replace(sender, takes_mail=False), zone)


@pytest.mark.parametrize(
    ("said", "state"),
    [("ready", State.READY), ("plain", State.FAULT), ("certificate", State.WARNING), ("silent", State.UNKNOWN)],
)
def test_tls_is_asked_of_the_servers_that_take_our_mail(sender, zone, said, state):
    asked = []

    def greet(host):
        asked.append(host)
        return said

    assert _codes(sender, zone, greet)[f"tls_in_{said}"] is state
    assert asked == ["mail.example.se"]


def test_letters_leave_encrypted_or_through_this_machine(sender, zone):
    assert "tls_out_plain" in _codes(replace(sender, relay_is_encrypted=False), zone)
    assert "tls_here" in _codes(replace(sender, relay="127.0.0.1", relay_is_encrypted=False), zone)
    assert "tls_no_server" in _codes(replace(sender, relay=""), zone)


def test_one_click_needs_https(sender, zone):
    assert _codes(replace(sender, origin="http://localhost:8000"), zone)["one_click_plain"] is State.FAULT


@pytest.mark.parametrize(
    ("domain", "is_public"),
    [
        ("news.xledger.com", True),
        ("localhost", False),
        ("xledger.example", False),
        ("192.0.2.1", False),
        ("a.test", False),
    ],
)
def test_a_name_nobody_else_can_ask_for_is_not_asked_for(domain, is_public):
    assert readiness.is_public(domain) is is_public


def test_every_code_has_its_words_and_its_way_out_in_every_language():
    import inspect
    import re

    codes = set(
        re.findall(r'"((?:spf|dkim|dmarc|alignment|ptr|mx|tls|one_click)_[a-z_]+)"', inspect.getsource(readiness))
    )
    codes |= {f"tls_in_{said}" for said in ("ready", "plain", "certificate", "silent")}
    codes |= {f"{check}_unanswered" for check in ("spf", "dkim", "dmarc", "alignment", "ptr", "mx", "tls")}
    for locale in LOCALES:
        words = room_words(locale, "readiness")
        assert {f"said.{code}" for code in codes} <= set(words), locale
        assert {key.partition(".")[2] for key in words if key.startswith("way.")} <= codes
        for check in ("spf", "dkim", "dmarc", "alignment", "ptr", "mx", "tls", "one_click"):
            assert say(locale, f"readiness.check.{check}")


# --- the real door --------------------------------------------------------------------------------------------------


@pytest.fixture
def name_server():
    """A name server of two records on a free port of this machine."""
    records = {
        ("example.se.", "TXT"): ['"v=spf1 " "-all"'], ("example.se.", "MX"): ["20 b.example.se.", "10 A.example.se."],
        ("7.113.0.203.in-addr.arpa.", "PTR"): ["Mail.example.se."], ("mail.example.se.", "A"): [US],
    }  # fmt: skip
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def answer():
        while True:
            try:
                wire, peer = server.recvfrom(4096)
            except OSError:
                return
            asked = dns.message.from_wire(wire)
            said = dns.message.make_response(asked)
            question = asked.question[0]
            kind = dns.rdatatype.to_text(question.rdtype)
            if found := records.get((question.name.to_text().lower(), kind)):
                said.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, found))
            elif question.name.to_text() == "broken.example.":
                said.set_rcode(dns.rcode.SERVFAIL)
            else:
                said.set_rcode(dns.rcode.NXDOMAIN)
            server.sendto(said.to_wire(), peer)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
    yield resolver
    server.close()


def test_the_real_resolver_answers_in_plain_words(name_server):
    names = Dns(resolver=name_server)

    assert names.texts("example.se") == ("v=spf1 -all",)
    assert names.mail_servers("example.se") == ((10, "a.example.se"), (20, "b.example.se"))
    assert names.names_of(US) == ("mail.example.se",)
    assert names.addresses("mail.example.se", 4) == (US,)
    assert names.addresses("nobody.example.se", 4) == ()


def test_a_server_that_cannot_answer_and_one_that_is_not_there_are_silence(name_server):
    with pytest.raises(Unanswered):
        Dns(patience_s=3, resolver=name_server).texts("broken.example")
    with pytest.raises(Unanswered):
        Dns(patience_s=0, resolver=name_server).texts("example.se")
