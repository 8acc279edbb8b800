"""The log as its callers know it: one index an event, answers after the commit, proofs that hold."""

import asyncio
import json
import threading
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from lofte.evidence import tiles, tree
from lofte.evidence.aio import AsyncLog
from lofte.evidence.checkpoint import open_checkpoint
from lofte.evidence.log import Committed, Draft, Log
from lofte.evidence.note import VerifierKey
from lofte.evidence.proof import Proof
from lofte.evidence.tree import leaf_hash
from lofte.evidence.verify import verify_receipt
from lofte.kernel.canonical import canonical_bytes
from lofte.kernel.problems import Problem

MakeDraft = Callable[..., Draft]


def head_of(log: Log, checkpoint: str) -> Any:
    return open_checkpoint(checkpoint, VerifierKey.parse(log.vkey()))


def test_an_event_is_acknowledged_with_index_entry_and_a_signed_head_that_covers_it(log: Log, draft: MakeDraft) -> None:
    done = log.append_and_wait(draft(0))

    assert (done.index, done.size) == (0, 1)
    assert done.entry == log.entry(0)
    assert head_of(log, done.checkpoint).size == 1
    assert head_of(log, done.checkpoint).root == leaf_hash(done.entry)


def test_entries_hold_nothing_of_the_payload(log: Log, draft: MakeDraft) -> None:
    entry = log.append_and_wait(draft(0)).entry

    assert set(json.loads(entry)) == {"f", "p", "t", "v", "w"}
    assert b"subject" not in entry
    assert b"statistics" not in entry


def test_two_equal_events_have_unlike_commitments(log: Log, draft: MakeDraft) -> None:
    first = log.append_and_wait(draft(0, key="one"))
    second = log.append_and_wait(draft(0, key="two"))

    assert first.entry != second.entry


def test_the_same_key_again_gives_the_same_answer_and_no_second_entry(
    filled: Callable[[int], Log], draft: MakeDraft
) -> None:
    log = filled(5)
    first = log.append_and_wait(draft(100))
    filled(7)

    assert log.append_and_wait(draft(100)) == first
    assert log.append_and_wait(draft(555, key="key-100")) == first
    assert log.size() == 13


def test_the_same_key_twice_in_one_batch_is_one_entry(log: Log, draft: MakeDraft) -> None:
    futures = [log.submit(draft(0)) for _ in range(50)]
    done = {future.result(10) for future in futures}

    assert len(done) == 1
    assert log.size() == 1


def test_keys_are_remembered_after_a_restart(house: Any, draft: MakeDraft) -> None:
    log = house.open()
    first = log.append_and_wait(draft(0))
    log.close()

    assert house.open().append_and_wait(draft(0)) == first


def test_keys_are_remembered_when_they_are_filed_away(
    house: Any, draft: MakeDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lofte.evidence.key_book.KeyBook.__init__.__defaults__", (40,))
    log = house.open()
    first = [log.append_and_wait(draft(number)) for number in range(130)]
    again = [log.append_and_wait(draft(number)) for number in range(130)]
    log.close()
    reopened = house.open()

    assert again == first
    assert [reopened.append_and_wait(draft(number)) for number in range(130)] == first
    assert reopened.size() == 130


def test_concurrent_callers_get_each_index_once(log: Log, draft: MakeDraft) -> None:
    answers: list[Committed] = []

    def call(caller: int) -> None:
        answers.extend(log.append_and_wait(draft(caller * 100 + n)) for n in range(20))

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.index for answer in answers) == list(range(160))
    assert all(answer.entry == log.entry(answer.index) for answer in answers)


def test_callbacks_come_in_the_order_of_the_log_and_once(log: Log, draft: MakeDraft) -> None:
    heard: list[int] = []
    last = threading.Event()

    def done(outcome: Committed | Problem) -> None:
        assert isinstance(outcome, Committed)
        heard.append(outcome.index)
        if outcome.index == 99:
            last.set()

    for number in range(100):
        log.append(draft(number), done)

    assert last.wait(10)
    assert heard == list(range(100))


def test_a_listener_hears_each_durable_batch_before_its_callers(log: Log, draft: MakeDraft) -> None:
    order: list[object] = []
    log.on_batch.append(lambda batch: order.append([(told.key, committed.index) for told, committed in batch]))
    log.append(draft(0), lambda outcome: order.append(outcome))
    log.append_and_wait(draft(1))

    assert order[0][0] == ("key-0", 0)  # type: ignore[index]  # the first item is the list
    assert isinstance(order[1], Committed)


def test_a_failing_listener_or_callback_does_not_stop_the_log(log: Log, draft: MakeDraft) -> None:
    def fail(_: object) -> None:
        raise RuntimeError

    log.on_batch.append(fail)
    log.append(draft(0), fail)

    assert log.append_and_wait(draft(1)).index == 1


def test_answers_of_one_batch_come_together_to_one_deliverer(log: Log, draft: MakeDraft) -> None:
    calls: list[list[tuple[Any, Any]]] = []
    all_there = threading.Event()

    def deliver(answers: list[tuple[Any, Any]]) -> None:
        calls.append(answers)
        if sum(map(len, calls)) == 300:
            all_there.set()

    log.append_many([draft(number) for number in range(300)], deliver)

    assert all_there.wait(10)
    assert len(calls) < 300
    assert [(place, done.index) for call in calls for place, done in call] == [(n, n) for n in range(300)]


def test_an_event_loop_is_answered(log: Log, draft: MakeDraft) -> None:
    async def run() -> list[Committed]:
        asynchronous = AsyncLog(log)
        return await asyncio.gather(*(asynchronous.append(draft(number)) for number in range(64)))

    assert [done.index for done in asyncio.run(run())] == list(range(64))


def test_every_entry_is_proved_in_the_newest_head(filled: Callable[[int], Log]) -> None:
    log = filled(300)
    key = VerifierKey.parse(log.vkey())
    for index in range(300):
        proof = Proof.parse(log.proof(index))

        assert proof.verify(log.entry(index), key).size == 300
        assert proof.index == index


def test_an_entry_is_proved_in_an_earlier_head_and_only_in_signed_ones(log: Log, draft: MakeDraft) -> None:
    sizes = [log.append_and_wait(draft(number)).size for number in range(9)]
    head = Proof.parse(log.proof(2, sizes[4])).verify(log.entry(2), VerifierKey.parse(log.vkey()))

    assert head.size == sizes[4]
    for size in (0, 2, 10, -1):
        with pytest.raises(Problem):
            log.proof(2, size)


def test_heads_are_consistent_with_each_other(log: Log, draft: MakeDraft) -> None:
    heads = [head_of(log, log.append_and_wait(draft(number)).checkpoint) for number in range(20)]
    for old in heads:
        for new in heads[old.size - 1 :]:
            path = log.consistency(old.size, new.size)
            assert tree.is_consistent(old.size, old.root, new.size, new.root, path)
    with pytest.raises(Problem):
        log.consistency(3, 21)


def test_a_client_can_rebuild_the_log_from_tiles_and_bundles(filled: Callable[[int], Log]) -> None:
    log = filled(600)
    entries = [
        *tiles.unbundle(log.bundle(0)),
        *tiles.unbundle(log.bundle(1)),
        *tiles.unbundle(log.bundle(2, 88)),
    ]
    hashes = tiles.split_tile(log.tile(0, 0)) + tiles.split_tile(log.tile(0, 1)) + tiles.split_tile(log.tile(0, 2, 88))

    assert entries == [log.entry(index) for index in range(600)]
    assert hashes == [leaf_hash(entry) for entry in entries]
    assert len(log.tile(1, 0, 2)) == 64


@pytest.mark.parametrize(
    ("level", "index", "width"),
    [(0, 2, None), (0, 2, 89), (0, 3, 1), (1, 0, None), (1, 0, 3), (2, 0, 1), (0, -1, 1), (0, 0, 0)],
)
def test_a_tile_beyond_the_head_is_not_there(
    filled: Callable[[int], Log], level: int, index: int, width: int | None
) -> None:
    log = filled(600)

    with pytest.raises(Problem) as refused:
        log.tile(level, index, width)
    assert refused.value.status == 404


def test_find_gives_the_newest_first_and_pages(log: Log, draft: MakeDraft) -> None:
    for number in range(12):
        log.append_and_wait(draft(number, kind="verdict" if number % 3 == 0 else "consent"))

    assert log.find("verdict", 10) == [9, 6, 3, 0]
    assert log.find("verdict", 2) == [9, 6]
    assert log.find("verdict", 2, before=6) == [3, 0]
    assert log.find("erasure", 2) == []


def test_what_was_recorded_can_be_opened(log: Log, draft: MakeDraft) -> None:
    event = draft(7)
    done = log.append_and_wait(event)
    opened = log.opened(done.index)

    assert (opened.kind, opened.policy, opened.fact, opened.who) == ("consent", event.policy, event.fact, event.who)
    assert (opened.fact_salt, opened.who_salt, opened.is_shredded) == (done.fact_salt, done.who_salt, False)


def test_an_event_about_nobody_has_no_who(log: Log, draft: MakeDraft) -> None:
    done = log.append_and_wait(draft(0, who=None, kind="verdict"))

    assert done.who_salt is None
    assert "w" not in json.loads(done.entry)
    assert "who" not in log.receipt(0)
    assert not verify_receipt(log.receipt(0)).has_who


def test_the_receipt_of_the_answer_and_the_later_one_both_hold(filled: Callable[[int], Log], draft: MakeDraft) -> None:
    log = filled(10)
    event = draft(99, key="its-own")
    done = log.append_and_wait(event)
    at_once = log.receipt_bytes(event, done)
    filled(500)

    for receipt in (at_once, log.receipt(done.index), json.dumps(log.receipt(done.index), indent=2).encode()):
        shown = verify_receipt(receipt, log.vkey())
        assert (shown.index, shown.kind, shown.policy) == (10, "consent", event.policy)
        assert shown.fact == json.loads(event.fact)
        assert shown.who == json.loads(event.who or b"")
    assert verify_receipt(at_once).size == 11
    assert verify_receipt(log.receipt(done.index)).size == 511


def test_a_sealed_receipt_shows_no_one_and_holds(log: Log, draft: MakeDraft) -> None:
    log.append_and_wait(draft(0))
    shown = verify_receipt(log.sealed_receipt(0))

    assert shown.who is None
    assert shown.has_who


@pytest.mark.parametrize("index", [-1, 3, 10**12])
def test_an_entry_that_is_not_there_is_a_404(filled: Callable[[int], Log], index: int) -> None:
    log = filled(3)
    for read in (log.entry, log.opened, log.receipt, log.proof):
        with pytest.raises(Problem) as refused:
            read(index)
        assert refused.value.status == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "Consent"}, {"kind": ""}, {"policy": "not hex"}, {"fact": b""}, {"fact": b"[1]"}, {"fact": b'{"a": 1}'},
        {"fact": b'{"b":1,"a":1}'}, {"fact": b'{"a":1,"a":1}'}, {"fact": b'{"a":1.5}'}, {"fact": b'{"a":NaN}'},
        {"fact": b'{"a":"\\u00e5"}'}, {"fact": b"\xff"}, {"fact": b'{"a":"' + b"a" * 40_000 + b'"}'}, {"who": b"anna@example.com"},
    ],
)  # fmt: skip
def test_a_draft_that_could_never_be_opened_again_is_refused_at_once(
    log: Log, draft: MakeDraft, changes: dict[str, Any]
) -> None:
    with pytest.raises(Problem) as refused:
        log.append(draft(0, **changes), print)

    assert refused.value.code == "evidence.malformed-draft"
    assert "anna" not in str(refused.value)
    assert log.append_and_wait(draft(1)).index == 0


def test_every_written_form_of_text_survives_the_receipt(log: Log, draft: MakeDraft) -> None:
    value = {"text": 'åäö \u2028 \x7f \x00\x1f\t\n"\\/ <script> 🙂 ſ', "n": -(2**53) + 1, "z": [True, None, {}, []]}
    log.append_and_wait(draft(0, fact=canonical_bytes(value)))

    assert verify_receipt(json.dumps(log.receipt(0)).encode()).fact == value


def test_waiting_beyond_the_bound_is_refused_with_503(
    log: Log, draft: MakeDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lofte.evidence.log.MOST_WAITING", 0)

    with pytest.raises(Problem) as refused:
        log.append(draft(0), print)
    assert (refused.value.code, refused.value.status) == ("evidence.busy", 503)


def test_closing_commits_what_waits_and_takes_no_more(house: Any, draft: MakeDraft) -> None:
    log = house.open()
    futures = [log.submit(draft(number)) for number in range(500)]
    log.close()
    log.close()

    assert [future.result(0).index for future in futures] == list(range(500))
    with pytest.raises(Problem):
        log.append(draft(999), print)
    with pytest.raises(Problem):
        log.shred([0])
    assert house.open().size() == 500


def test_an_unused_log_has_a_signed_empty_head(log: Log) -> None:
    head = head_of(log, log.checkpoint())

    assert (head.size, head.root) == (0, tree.EMPTY_ROOT)
    assert log.check_everything() == []


def test_the_checkpoint_is_the_specified_three_lines(log: Log, draft: MakeDraft) -> None:
    log.append_and_wait(draft(0))
    origin, size, root, empty, signature = log.checkpoint().splitlines()

    assert (origin, size, len(b64decode(root)), empty) == ("example.com/evidence", "1", 32, "")
    assert signature.startswith("— example.com/evidence ")


def test_committed_answers_are_plain_values(log: Log, draft: MakeDraft) -> None:
    done = log.append_and_wait(draft(0))

    assert done._replace(index=done.index) == done
    assert hash(done)
