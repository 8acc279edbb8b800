"""The offline verifier: a true receipt holds, and of an altered one the part is named."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lofte.evidence.log import Draft, Log
from lofte.evidence.verify import ALTERED, LARGEST_RECEIPT_BYTES, verify_receipt
from lofte.kernel.problems import Problem

Receipt = dict[str, Any]


def test_a_true_receipt_shows_what_was_recorded(receipt: Receipt, log: Log) -> None:
    shown = verify_receipt(receipt, log.vkey())

    assert (shown.index, shown.size, shown.kind) == (5, 11, "consent")
    assert shown.fact["choices"] == {"marketing": False, "statistics": False}
    assert shown.who == {"subject": "subject-5"}
    assert (shown.origin, shown.vkey, shown.is_key_given) == ("example.com/evidence", log.vkey(), True)
    assert not verify_receipt(receipt).is_key_given


def test_verifying_uses_no_network_and_no_file(receipt: Receipt, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the verifier reached outside")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr("builtins.open", refuse)

    assert verify_receipt(json.dumps(receipt).encode()).index == 5


def test_an_altered_receipt_is_refused_and_the_part_is_named(altered: tuple[str, Receipt]) -> None:
    part, receipt = altered
    for form in (receipt, json.dumps(receipt).encode()):
        with pytest.raises(Problem) as refused:
            verify_receipt(form)
        assert (refused.value.code, refused.value.place.key) == ("receipt.altered", part)
        assert refused.value.detail == ALTERED[part]


def test_every_part_is_altered_by_some_test(every_alteration: dict[str, tuple[str, Receipt]]) -> None:
    assert {part for part, _ in every_alteration.values()} == set(ALTERED)


def test_a_key_from_elsewhere_that_is_not_the_receipts_refuses_it(receipt: Receipt) -> None:
    other = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    with pytest.raises(Problem) as refused:
        verify_receipt(receipt, other)

    assert refused.value.place.key == "key"


def test_a_receipt_without_who_holds_and_says_that_it_is_sealed(receipt: Receipt) -> None:
    del receipt["who"]
    shown = verify_receipt(receipt)

    assert (shown.who, shown.has_who) == (None, True)


def test_a_who_that_was_never_logged_is_refused(log: Log, draft: Callable[..., Draft]) -> None:
    log.append_and_wait(draft(0, who=None))
    receipt = log.receipt(0)
    receipt["who"] = {"salt": "A" * 43 + "=", "payload": {}}
    with pytest.raises(Problem) as refused:
        verify_receipt(receipt)

    assert refused.value.place.key == "who"


def test_a_receipt_without_the_entry_holds_while_all_openings_are_there(receipt: Receipt) -> None:
    lines = receipt["proof"].split("\n")
    receipt["proof"] = "\n".join([lines[0], *lines[2:]])

    assert verify_receipt(receipt).index == 5
    receipt["fact"]["payload"]["action"] = "withdraw"
    with pytest.raises(Problem) as refused:
        verify_receipt(receipt)
    assert refused.value.place.key == "proof"  # without the entry nobody can tell which opening it was


def test_witnesses_added_later_do_not_disturb(receipt: Receipt) -> None:
    receipt["proof"] += "— witness.example mJirIklj" + "A" * 92 + "\n"

    assert verify_receipt(receipt).index == 5


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"lofte":"receipt/1","lofte":"receipt/1"}', b"[" * 100_000, b"1e999"],
)
def test_what_is_no_receipt_is_refused_as_such(text: bytes) -> None:
    with pytest.raises(Problem) as refused:
        verify_receipt(text)

    assert refused.value.place.key == "format"


def test_a_key_that_stands_twice_is_refused(receipt: Receipt) -> None:
    text = json.dumps(receipt).replace('"action": "decide"', '"action": "withdraw", "action": "decide"')
    with pytest.raises(Problem) as refused:
        verify_receipt(text.encode())

    assert refused.value.place.key == "format"


def test_a_huge_receipt_is_refused_unread() -> None:
    with pytest.raises(Problem):
        verify_receipt(b" " * (LARGEST_RECEIPT_BYTES + 1))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_goes_unseen(receipt: Receipt, data: st.DataObject) -> None:
    """One byte of the compact form becomes another: the receipt is refused, or says exactly the same."""
    text = bytearray(json.dumps(receipt, ensure_ascii=False, separators=(",", ":")).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255))
    true = verify_receipt(receipt)
    try:
        shown = verify_receipt(bytes(text))
    except Problem as problem:
        assert problem.place.key in ALTERED  # noqa: PT017  # both outcomes are right
    else:
        assert shown == true


def test_the_problem_never_quotes_the_receipt(receipt: Receipt) -> None:
    receipt["who"]["payload"]["subject"] = "anna-canary"
    with pytest.raises(Problem) as refused:
        verify_receipt(receipt)

    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None
