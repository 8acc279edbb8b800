"""C2SP signed-note, checkpoint and tlog-proof: the specifications' examples, and their rules for verifiers."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from lofte.evidence import note
from lofte.evidence.checkpoint import Checkpoint, open_checkpoint, parse_decimal
from lofte.evidence.note import NotANote, SignerKey, VerifierKey, WrongSignature
from lofte.evidence.proof import Proof, write_proof
from lofte.evidence.tree import leaf_hash, node_hash

# https://c2sp.org/signed-note@v1.0.0, "Example"
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
TEXT = "This is an example message.\n"
SIGNER = SignerKey("example.com/log", bytes(range(32)))


def test_the_example_of_the_specification_verifies() -> None:
    key = VerifierKey.parse(VKEY)

    assert str(key) == VKEY
    assert note.verify(NOTE, [key]) == (TEXT, [key])


def test_a_signed_note_reads_back_and_signing_again_gives_the_same_bytes() -> None:
    signed = SIGNER.sign("one\n\ntwo\n")

    assert note.verify(signed, [SIGNER.verifier]) == ("one\n\ntwo\n", [SIGNER.verifier])
    assert SIGNER.sign("one\n\ntwo\n") == signed


def test_a_private_key_reads_back_and_never_shows_itself() -> None:
    text = SIGNER.private_text()

    assert str(SignerKey.parse(text).verifier) == str(SIGNER.verifier)
    with pytest.raises(NotANote) as refused:
        SignerKey.parse(text[:-4])
    assert text.rpartition("+")[2][:20] not in str(refused.value)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    other = SignerKey("example.com/other", b"o" * 32)
    same_name = SignerKey("example.com/log", b"s" * 32)
    line_other = other.sign(TEXT).rpartition("\n\n")[2]
    line_same = same_name.sign(TEXT).rpartition("\n\n")[2]
    signed = f"{TEXT}\n{line_other}{line_same}{SIGNER.sign(TEXT).rpartition(chr(10) * 2)[2]}"

    assert note.verify(signed, [SIGNER.verifier]) == (TEXT, [SIGNER.verifier])


def test_a_key_with_the_same_id_but_another_name_is_unknown() -> None:
    line = SIGNER.sign(TEXT).rpartition("\n\n")[2].replace("example.com/log", "example.com/gol")

    with pytest.raises(WrongSignature):
        note.verify(f"{TEXT}\n{line}", [SIGNER.verifier])


def test_a_wrong_signature_of_a_known_key_refuses_the_note_though_another_key_signed_it() -> None:
    other = SignerKey("example.com/other", b"o" * 32)
    wrong = SIGNER.sign("Another message.\n").rpartition("\n\n")[2]
    signed = f"{TEXT}\n{wrong}{other.sign(TEXT).rpartition(chr(10) * 2)[2]}"

    assert note.verify(signed, [other.verifier])[0] == TEXT
    with pytest.raises(WrongSignature):
        note.verify(signed, [other.verifier, SIGNER.verifier])


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    with pytest.raises(WrongSignature):
        note.verify(NOTE, [SIGNER.verifier])
    with pytest.raises(WrongSignature):
        note.verify(NOTE, [])


def test_sixteen_signatures_are_accepted_and_a_flood_is_not() -> None:
    lines = [SignerKey(f"example.com/{n}", bytes([n]) * 32).sign(TEXT).rpartition("\n\n")[2] for n in range(200)]
    own = SIGNER.sign(TEXT).rpartition("\n\n")[2]

    assert note.verify(f"{TEXT}\n{''.join(lines[:16])}{own}", [SIGNER.verifier])[0] == TEXT
    with pytest.raises(NotANote):
        note.verify(f"{TEXT}\n{''.join(lines)}{own}", [SIGNER.verifier])


@pytest.mark.parametrize(
    "spoilt",
    [
        NOTE.removesuffix("\n"),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("—", "-"),
        NOTE.replace("— ", "—"),
        NOTE.replace("example.com/foo", "example.com/f+o"),
        NOTE.replace("example.com/foo", ""),
        NOTE.replace("example.com/foo", "example.com/\u2003foo"),
        NOTE.replace("aQM=", "aQN="),  # not the canonical spelling of the last byte
        NOTE.replace("aQM=", "aQM"),
        NOTE.replace("Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=", "Uw2QOg=="),
        NOTE.replace("example message", "example\tmessage"),
        NOTE.replace("example message", "example\x00message"),
        NOTE.replace("example message", "example \ud800 message"),
        "",
        "\n\n",
        NOTE + "\n",
    ],
)  # fmt: skip
def test_what_is_not_formed_as_a_note_is_refused(spoilt: str) -> None:
    with pytest.raises((NotANote, WrongSignature)):
        note.verify(spoilt, [VerifierKey.parse(VKEY)])


@pytest.mark.parametrize(
    "vkey",
    [
        "", "example.com/foo", "example.com/foo+530d903a", VKEY.replace("530d903a", "530d903b"), VKEY[:-4],
        VKEY.replace("example.com/foo", ""), VKEY.replace("example.com/foo", "example.com foo"),
        "example.com/foo+530d903a+" + b64encode(b"\x02" + bytes(32)).decode(),
        "example.com/foo+530d903a+not-base64",
    ],
)  # fmt: skip
def test_what_is_not_a_key_is_refused(vkey: str) -> None:
    with pytest.raises(NotANote):
        VerifierKey.parse(vkey)


@given(st.text(max_size=400))
def test_any_text_is_either_refused_or_a_note(text: str) -> None:
    with pytest.raises((NotANote, WrongSignature)):
        note.verify(text, [SIGNER.verifier])


@given(st.integers(0, 400), st.integers(0, 255))
def test_no_altered_note_verifies(place: int, value: int) -> None:
    data = bytearray(NOTE.encode())
    place %= len(data)
    if data[place] == value:
        return
    data[place] = value
    altered = data.decode("utf-8", "surrogateescape")

    with pytest.raises((NotANote, WrongSignature)):
        note.verify(altered, [VerifierKey.parse(VKEY)])


def test_the_checkpoint_of_the_specification_reads_and_writes_back() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    head = Checkpoint.parse(text)

    assert (head.origin, head.size, head.root) == (
        "example.com/behind-the-sofa",
        20852163,
        b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="),
    )
    assert head.text() == text
    assert Checkpoint.parse(text + "an extension\n").extensions == ("an extension",)


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n1\n", "a\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", "a\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", "a\n1\nCsUY\n", "a\n1\nnot base64\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nb\n",
        "a\n٣\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    ],
)  # fmt: skip
def test_what_is_not_formed_as_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NotANote):
        Checkpoint.parse(text)


def test_numbers_beyond_a_log_are_refused() -> None:
    assert parse_decimal("9223372036854775807") == 2**63 - 1
    for text in ("9223372036854775808", "1" * 100, "", " 1", "1_0"):
        with pytest.raises(NotANote):
            parse_decimal(text)


def test_a_checkpoint_of_another_log_is_refused_though_this_key_signed_it() -> None:
    foreign = SIGNER.sign(Checkpoint("example.com/other", 1, leaf_hash(b"")).text())

    with pytest.raises(WrongSignature):
        open_checkpoint(foreign, SIGNER.verifier)


def a_proof(extra: bytes | None = None) -> Proof:
    entries = [leaf_hash(b"0"), leaf_hash(b"1"), leaf_hash(b"2")]
    root = node_hash(node_hash(entries[0], entries[1]), entries[2])
    signed = SIGNER.sign(Checkpoint("example.com/log", 3, root).text())
    return Proof(1, (entries[0], entries[2]), signed, extra)


@pytest.mark.parametrize("extra", [None, b"", b"what was logged"])
def test_a_proof_reads_back_and_verifies(extra: bytes | None) -> None:
    proof = a_proof(extra)

    assert Proof.parse(proof.text()) == proof
    assert proof.verify(b"1", SIGNER.verifier).size == 3
    with pytest.raises(WrongSignature):
        proof.verify(b"0", SIGNER.verifier)


def test_the_extra_line_is_never_believed() -> None:
    with pytest.raises(WrongSignature):
        a_proof(b"1").verify(b"2", SIGNER.verifier)
    assert a_proof(b"2").verify(b"1", SIGNER.verifier).size == 3


def test_a_proof_with_reordered_doubled_or_missing_hashes_is_refused() -> None:
    proof = a_proof()
    first, second = proof.path
    for path in ((second, first), (first, first, second), (first,), (first, second, second), ()):
        with pytest.raises(WrongSignature):
            Proof(1, path, proof.checkpoint).verify(b"1", SIGNER.verifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"), ("index 1", "index 01"), ("index 1", "index -1"), ("index 1\n", ""),
        ("index 1", "Index 1"), ("extra ", "extra !"), ("\n\nexample", "\nexample"), ("index 1\n", "index 1\nAAAA\n"),
        ("index 1\n", "index 1\n" + "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n" * 64),
    ],
)  # fmt: skip
def test_what_is_not_formed_as_a_proof_is_refused(old: str, new: str) -> None:
    text = a_proof(b"entry").text()
    assert old in text

    with pytest.raises(NotANote):
        Proof.parse(text.replace(old, new, 1))


def test_a_huge_proof_is_refused_at_once() -> None:
    with pytest.raises(NotANote):
        Proof.parse("c2sp.org/tlog-proof@v1\nextra " + "A" * 1_000_000)
    with pytest.raises(NotANote):
        Proof.parse(write_proof(0, (), "x", b"A" * 70_000))


def test_our_signatures_are_plain_rfc_8032() -> None:
    """RFC 8032 section 7.1, test 1: an outside implementation would compute the same."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    expected = Ed25519PrivateKey.from_private_bytes(seed).sign(b"text\n")
    stamp = SignerKey("a", seed).sign("text\n").rpartition(" ")[2]

    assert b64decode(stamp)[4:] == expected
