"""A log in a temporary directory, and events to put into it."""

import json
import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lofte.evidence.checkpoint import open_checkpoint
from lofte.evidence.keys import read_signer
from lofte.evidence.log import Draft, Log, open_log
from lofte.evidence.note import SignerKey, VerifierKey
from lofte.kernel.canonical import canonical_bytes

ORIGIN = "example.com/evidence"
POLICY = "5f" * 32


def fixed_now() -> datetime:
    return datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def make_draft(number: int, **changes: object) -> Draft:
    fact = {
        "action": "decide",
        "at": "2026-11-22T12:00:00Z",
        "choices": {"marketing": False, "statistics": number % 2 == 0},
        "locale": "sv",
        "market": "SE",
        "number": number,
    }
    parts: dict[str, object] = {
        "kind": "consent",
        "fact": canonical_bytes(fact),
        "who": canonical_bytes({"subject": f"subject-{number}"}),
        "policy": POLICY,
        "key": f"key-{number}",
    }
    return Draft(**(parts | changes))  # type: ignore[arg-type]  # the changes are a test's own


class House:
    """A data directory whose log can be opened again and again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store: Path | str = home / "evidence.sqlite3"
        self.keys = home / "keys"
        self._open: list[Log] = []

    def open(self, origin: str = ORIGIN) -> Log:
        log = open_log(self.store, self.keys, origin, fixed_now)
        self._open.append(log)
        return log

    def close(self) -> None:
        for log in self._open:
            log.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def log(house: House) -> Log:
    return house.open()


@pytest.fixture
def draft() -> Callable[..., Draft]:
    return make_draft


@pytest.fixture
def filled(log: Log) -> Callable[[int], Log]:
    """The log with so many entries, each batch as the sequencer took them."""

    def fill(count: int) -> Log:
        futures = [log.submit(make_draft(number)) for number in range(log.size(), log.size() + count)]
        for future in futures:
            future.result(20)
        return log

    return fill


WRITER = """
    import os, sys, threading
    from datetime import UTC, datetime
    from pathlib import Path
    from lofte.evidence import postgres_store
    from lofte.evidence.log import Committed, Draft, open_log
    postgres_store.LEASE_S = float(os.environ.get("LOFTE_TEST_LEASE_S", "10"))
    log = open_log(sys.argv[1], Path(sys.argv[2]), "example.com/evidence", lambda: datetime.now(UTC))
    print("open", log.size(), flush=True)
    door = threading.Semaphore(int(sys.argv[4]))

    def deliver(answers):
        heads = {done.checkpoint for _, done in answers if isinstance(done, Committed)}
        lines = [f"{done.index} {key} {done.entry.decode()}" for key, done in answers]
        lines += ["head " + head.replace(chr(10), "|") for head in heads]
        sys.stdout.write(chr(10).join(lines) + chr(10))
        sys.stdout.flush()
        for _ in answers:
            door.release()

    number = 0
    while True:
        door.acquire()
        key = f"{sys.argv[3]}-{number}"
        log.append_for(Draft("consent", b'{"number":%d}' % number, b'{"subject":"x"}', "", key), key, deliver)
        number += 1
"""


class Drill:
    """What the writers were told, over all rounds."""

    def __init__(self, house: Any, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)  # the seed is in the test's name, so that a failure can be run again
        self.acknowledged: dict[int, tuple[str, str]] = {}
        self.roots: dict[int, bytes] = {}

    def round(self, name: str) -> None:
        """One writer, killed at a random moment after it has opened the log."""
        callers = self.chance.choice((1, 7, 64, 300))
        command = [
            sys.executable,
            "-c",
            textwrap.dedent(WRITER),
            str(self.house.store),
            str(self.house.keys),
            name,
            str(callers),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline().startswith(b"open")
            killer = threading.Timer(self.chance.uniform(0, 0.15), writer.kill)
            killer.start()
            told = writer.stdout.read()
            killer.join()
        vkey = self._vkey()
        for line in told.decode().splitlines(keepends=True):
            if line.endswith("\n"):  # the last may be torn: half a line is no answer
                self._note(line.removesuffix("\n"), vkey)

    def _note(self, line: str, vkey: VerifierKey) -> None:
        first, rest = line.split(" ", 1)
        if first == "head":
            head = open_checkpoint(rest.replace("|", "\n"), vkey)
            assert self.roots.setdefault(head.size, head.root) == head.root, "two roots for one size"
            return
        key, entry = rest.split(" ", 1)
        assert int(first) not in self.acknowledged, "one index, two answers"
        self.acknowledged[int(first)] = (key, entry)

    def _vkey(self) -> VerifierKey:
        signer = read_signer(self.house.keys / "log.key")
        assert signer is not None
        return signer.verifier

    def judge(self) -> None:
        log = self.house.open()
        for index, (_, entry) in self.acknowledged.items():
            assert log.entry(index).decode() == entry
        for size, root in self.roots.items():
            assert log._tree.root(size) == root
        assert log.size() > max(self.acknowledged)
        assert log.check_everything() == []
        for key, index in [(key, index) for index, (key, _) in self.acknowledged.items()][-20:]:
            number = int(key.rpartition("-")[2])
            again = log.append_and_wait(Draft("consent", b'{"number":%d}' % number, b'{"subject":"x"}', "", key))
            assert again.index == index
        log.close()


def run_drill(house: Any, rounds: int, seed: int) -> None:
    made = Drill(house, seed)
    for number in range(rounds):
        made.round(f"round-{number}")
        if number % 5 == 4:
            made.judge()
    made.judge()
    assert len(made.acknowledged) > rounds


@pytest.fixture
def drill() -> Callable[[House, int, int], None]:
    """Kills writers of a house for so many rounds, with a seed, and judges what is left."""
    return run_drill


Alter = Callable[[dict[str, Any]], None]


def in_proof(old: str, new: str) -> Alter:
    def alter(receipt: dict[str, Any]) -> None:
        assert old in receipt["proof"], old
        receipt["proof"] = receipt["proof"].replace(old, new, 1)

    return alter


def line_of_proof(number: int, change: Callable[[str], str]) -> Alter:
    def alter(receipt: dict[str, Any]) -> None:
        lines = receipt["proof"].split("\n")
        lines[number] = change(lines[number])
        receipt["proof"] = "\n".join(lines)

    return alter


def put(*path: str, value: Any) -> Alter:
    def alter(receipt: dict[str, Any]) -> None:
        place = receipt
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    return alter


def drop(*path: str) -> Alter:
    def alter(receipt: dict[str, Any]) -> None:
        place = receipt
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]

    return alter


def another_sign(text: str) -> str:
    """One base64 sign changed, well inside."""
    return text[:20] + ("A" if text[20] != "A" else "B") + text[21:]


def resigned(receipt: dict[str, Any]) -> None:
    """Everything consistent, but signed by somebody else's key of the same name."""
    signer = SignerKey(ORIGIN, b"somebody else".ljust(32))
    head, _, checkpoint = receipt["proof"].partition("\n\n")
    receipt["proof"] = f"{head}\n\n{signer.sign(checkpoint.partition(chr(10) * 2)[0] + chr(10))}"


SALT_OF_ZEROES = "A" * 43 + "="
# The receipt has index 5 in a log of 11; its proof: header, extra, index, 4 hashes, empty, origin, size, root, empty, signature.
ALTERATIONS: dict[str, tuple[str, Alter]] = {
    "another format": ("format", put("lofte", value="receipt/2")),
    "an added key": ("format", put("note", value="also agreed to everything")),
    "a missing key": ("format", drop("policy")),
    "the fact": ("fact", put("fact", "payload", "action", value="withdraw")),
    "a choice in the fact": ("fact", put("fact", "payload", "choices", "marketing", value=True)),
    "an added word in the fact": ("fact", put("fact", "payload", "more", value="")),
    "a word taken out of the fact": ("fact", drop("fact", "payload", "at")),
    "the salt of the fact": ("fact", put("fact", "salt", value=SALT_OF_ZEROES)),
    "a short salt": ("fact", put("fact", "salt", value="AAAA")),
    "a fact that is no object": ("fact", put("fact", value="decide")),
    "a fact with more than salt and payload": ("fact", put("fact", "more", value=1)),
    "a number that is not whole": ("fact", put("fact", "payload", "number", value=5.5)),
    "the who": ("who", put("who", "payload", "subject", value="somebody-else")),
    "the salt of the who": ("who", put("who", "salt", value=SALT_OF_ZEROES)),
    "a who that is empty": ("who", put("who", value={})),
    "the kind": ("kind", put("kind", value="verdict")),
    "a kind that is no word": ("kind", put("kind", value="Con sent")),
    "a kind that is a number": ("kind", put("kind", value=7)),
    "the policy": ("policy", put("policy", value="0" * 64)),
    "no policy": ("policy", put("policy", value="")),
    "the index": ("index", put("index", value=4)),
    "an index as text": ("index", put("index", value="5")),
    "an index that is true": ("index", put("index", value=True)),
    "the index in the proof": ("index", in_proof("index 5", "index 6")),
    "both indexes": ("proof", lambda receipt: (put("index", value=4)(receipt), in_proof("index 5", "index 4")(receipt), None)[2]),
    "an index beyond the log": (
        "proof",
        lambda receipt: (put("index", value=11)(receipt), in_proof("index 5", "index 11")(receipt), None)[2],
    ),
    "the header of the proof": ("proof", in_proof("tlog-proof@v1", "tlog-proof@v2")),
    "the entry in the proof": ("proof", line_of_proof(1, another_sign)),
    "a hash in the proof": ("proof", line_of_proof(3, another_sign)),
    "a hash taken out": ("proof", lambda receipt: put("proof", value=_without_line(receipt["proof"], 4))(receipt)),
    "two hashes exchanged": ("proof", lambda receipt: put("proof", value=_exchanged(receipt["proof"], 3, 4))(receipt)),
    "a proof that is no text": ("proof", put("proof", value=None)),
    "the name of the log": ("checkpoint", line_of_proof(8, lambda _: "example.com/other")),
    "the size of the log": ("checkpoint", line_of_proof(9, lambda _: "5000")),
    "a size that is no number": ("checkpoint", line_of_proof(9, lambda size: "0" + size)),
    "the root": ("checkpoint", line_of_proof(10, another_sign)),
    "the signature": ("signature", line_of_proof(12, lambda line: line[:-20] + another_sign(line[-40:])[20:])),
    "the key id of the signature": ("signature", line_of_proof(12, lambda line: line.replace(line.split(" ")[2][:4], "AAAA"))),
    "a signature of another's name": ("signature", line_of_proof(12, lambda line: line.replace("example.com", "example.org"))),
    "no signature": ("signature", lambda receipt: put("proof", value=_without_line(receipt["proof"], 12))(receipt)),
    "a broken signature line": ("signature", line_of_proof(12, lambda line: line.replace("— ", "- "))),
    "a letter of the key": ("key", lambda receipt: put("vkey", value=another_sign(receipt["vkey"][::-1])[::-1])(receipt)),
    "the name of the key": ("key", lambda receipt: put("vkey", value=receipt["vkey"].replace("example", "example2"))(receipt)),
    "another key": ("key", put("vkey", value=str(SignerKey(ORIGIN, b"x" * 32).verifier))),
    "no key": ("key", put("vkey", value="")),
    "somebody else's signature": ("key", resigned),
}  # fmt: skip


def _without_line(text: str, number: int) -> str:
    lines = text.split("\n")
    del lines[number]
    return "\n".join(lines)


def _exchanged(text: str, one: int, two: int) -> str:
    lines = text.split("\n")
    lines[one], lines[two] = lines[two], lines[one]
    return "\n".join(lines)


@pytest.fixture(params=ALTERATIONS)
def altered(request: pytest.FixtureRequest, receipt: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """(the part that was altered, the receipt)."""
    part, alter = ALTERATIONS[request.param]
    alter(receipt)
    return part, receipt


@pytest.fixture
def every_alteration(receipt: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    made = {}
    for name, (part, alter) in ALTERATIONS.items():
        copy = json.loads(json.dumps(receipt))
        alter(copy)
        made[name] = (part, copy)
    return made


@pytest.fixture
def receipt(log: Log) -> dict[str, Any]:
    for number in range(11):
        log.append_and_wait(make_draft(number))
    return log.receipt(5)
