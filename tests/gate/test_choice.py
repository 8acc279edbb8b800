import hmac
import os
import stat
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.gate.choice import Choice, choice_key, decode, derive_key, encode, load_root_key, set_cookie, signature

KEY = b"k" * 32
CHOICE = Choice("c3ViamVjdC1zdWJqZWN0LQ", frozenset({"statistics", "marketing"}), "0123456789abcdef", 41)


def test_a_choice_comes_back_as_it_was_written():
    value = encode(CHOICE, KEY)

    assert value.startswith("v1.c3ViamVjdC1zdWJqZWN0LQ.marketing,statistics.0123456789abcdef.41.")
    assert decode(f"other=1; lofte={value}; more=2", KEY) == CHOICE
    assert decode(f"lofte={value}".encode(), KEY) == CHOICE


def test_a_refusal_of_everything_is_a_choice_too():
    refusal = Choice("abc", frozenset(), "0123456789abcdef", 0)

    assert decode("lofte=" + encode(refusal, KEY), KEY) == refusal
    assert not refusal.allows("statistics")


@pytest.mark.parametrize(
    "header", ["", None, "lofte=", "lofte=v1", "lofte=v1.a.b.c.1.x", "lofte=å", "lofte=" + "a" * 9000, "=;;="]
)
def test_what_we_did_not_sign_is_as_if_it_were_not_there(header):
    assert decode(header, KEY) is None


def test_another_key_opens_nothing():
    assert decode("lofte=" + encode(CHOICE, KEY), b"x" * 32) is None


def test_a_planted_cookie_does_not_hide_the_real_one():
    assert decode(f"lofte=planted; lofte={encode(CHOICE, KEY)}", KEY) == CHOICE


@given(st.integers(min_value=0), st.characters(min_codepoint=33, max_codepoint=126))
def test_one_changed_character_anywhere_breaks_the_signature(position, character):
    value = encode(CHOICE, KEY)
    at = position % len(value)
    changed = value[:at] + character + value[at + 1 :]

    assert changed == value or decode("lofte=" + changed, KEY) is None


def test_the_cookie_is_kept_from_scripts_and_from_other_sites():
    line = set_cookie(CHOICE, KEY, secure=True)

    assert line.endswith("; Max-Age=15552000; Path=/; HttpOnly; SameSite=Lax; Secure")
    assert not set_cookie(CHOICE, KEY, secure=False).endswith("Secure")


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first = load_root_key(tmp_path)
    mode = stat.S_IMODE(os.stat(tmp_path / "keys" / "subject.key").st_mode)

    assert first == load_root_key(tmp_path)
    assert mode == 0o600
    assert choice_key(tmp_path) == derive_key(first, "choice/1") != derive_key(first, "subject/1")


def test_a_damaged_key_stops_the_start(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "subject.key").write_bytes(b"short")

    with pytest.raises(ValueError, match="not 32 bytes"):
        load_root_key(tmp_path)


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32))
def test_our_signature_is_the_standard_one(body, key):
    standard = urlsafe_b64encode(hmac.digest(key, body, "sha256")).rstrip(b"=").decode()

    assert signature(body, key) == standard
