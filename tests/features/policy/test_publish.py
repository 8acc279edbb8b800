"""Publishing: durable before named, logged once, unchanged when nothing changed, and every version stays readable."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lofte.evidence.log import Log, open_log
from lofte.features.policy import reads, verbs
from lofte.features.policy.files import read_directory
from lofte.kernel.canonical import sha256_hex
from lofte.kernel.problems import Problem
from lofte.rules.compile import recomputed_digest

SMALL = read_directory(Path(__file__).parent.parent.parent / "policies" / "small")
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def patched(find: str, replace: str) -> dict[str, str]:
    assert find in SMALL["policy.yaml"]
    return SMALL | {"policy.yaml": SMALL["policy.yaml"].replace(find, replace, 1)}


SECOND = patched('version: "2026-11"', 'version: "2026-11.2"')


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = open_log(tmp_path / "evidence.sqlite3", tmp_path / "keys", "localhost/lofte/log", lambda: AT)
    yield opened
    opened.close()


def frozen(home: Path, digest: str) -> dict[str, bytes]:
    return {name: reads.frozen(home, digest, name) for name in reads.manifest(home, digest)["files"]}


def test_a_published_policy_is_frozen_signed_and_logged(tmp_path: Path, log: Log) -> None:
    published = verbs.publish(SMALL, tmp_path, log, AT)

    manifest = reads.manifest(tmp_path, published.digest)
    assert reads.current_digest(tmp_path) == published.digest
    assert reads.published(tmp_path, published.digest) == published
    assert recomputed_digest(frozen(tmp_path, published.digest)) == published.digest
    assert (manifest["previous"], manifest["evidence_index"], manifest["version"]) == (None, 0, "2026-11")
    assert manifest["signature"].startswith("localhost/lofte/log\n1\n")
    assert (log.opened(0).kind, log.opened(0).policy) == ("publication", published.digest)
    assert json.loads(log.opened(0).fact)["digest"] == published.digest


def test_publishing_the_same_again_changes_nothing(tmp_path: Path, log: Log) -> None:
    first = verbs.publish(SMALL, tmp_path, log, AT)
    again = verbs.publish(SMALL, tmp_path, log, AT + timedelta(days=1))

    assert again == first
    assert log.size() == 1


def test_earlier_versions_stay_readable(tmp_path: Path, log: Log) -> None:
    first = verbs.publish(SMALL, tmp_path, log, AT)
    second = verbs.publish(SECOND, tmp_path, log, AT)

    assert [one["digest"] for one in reads.history(tmp_path)] == [second.digest, first.digest]
    assert reads.published(tmp_path, first.digest).version == "2026-11"
    assert b"2026-11.2" in reads.frozen(tmp_path, second.digest, "SE/sv/changes.html")
    assert recomputed_digest(frozen(tmp_path, second.digest), first.digest) == second.digest


def test_going_back_is_a_version_of_its_own(tmp_path: Path, log: Log) -> None:
    versions = [verbs.publish(files, tmp_path, log, AT).digest for files in (SMALL, SECOND, SMALL, SECOND)]

    assert len(set(versions)) == 4
    assert [one["digest"] for one in reads.history(tmp_path)] == versions[::-1]


def test_a_broken_policy_is_refused_and_nothing_is_written(tmp_path: Path, log: Log) -> None:
    with pytest.raises(Problem) as refused:
        verbs.publish(patched("    basis: legitimate_interest\n", ""), tmp_path, log, AT)

    assert refused.value.code == "policy.not-publishable"
    assert "purpose.no-basis" in refused.value.detail
    assert reads.current_digest(tmp_path) is None
    assert log.size() == 0


def test_a_crash_before_the_manifest_leaves_the_old_version_and_can_be_repeated(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = verbs.publish(SMALL, tmp_path, log, AT)
    write = verbs.write_whole

    def fall(target: Path, body: bytes, *, flush_directory: bool = True) -> None:
        if target.parent.name == "publications":
            raise OSError("power")
        write(target, body, flush_directory=flush_directory)

    monkeypatch.setattr(verbs, "write_whole", fall)
    with pytest.raises(OSError, match="power"):
        verbs.publish(SECOND, tmp_path, log, AT)
    assert reads.current_digest(tmp_path) == first.digest

    monkeypatch.undo()
    second = verbs.publish(SECOND, tmp_path, log, AT + timedelta(minutes=5))

    assert reads.current_digest(tmp_path) == second.digest
    assert log.size() == 2


def test_altered_bytes_are_noticed(tmp_path: Path, log: Log) -> None:
    published = verbs.publish(SMALL, tmp_path, log, AT)
    name = reads.manifest(tmp_path, published.digest)["files"]["SE/sv/policy.html"]
    (tmp_path / "published" / "objects" / name).write_bytes(b"something else")

    with pytest.raises(Problem) as refused:
        reads.frozen(tmp_path, published.digest, "SE/sv/policy.html")

    assert refused.value.code == "publication.altered"


def test_publishing_again_puts_altered_and_missing_bytes_back(tmp_path: Path, log: Log) -> None:
    published = verbs.publish(SMALL, tmp_path, log, AT)
    before = frozen(tmp_path, published.digest)
    objects = {name: tmp_path / "published" / "objects" / sha256_hex(body) for name, body in before.items()}
    objects["policy.json"].write_bytes(b"another policy")
    objects["verdict-words.json"].unlink()

    again = verbs.publish(SMALL, tmp_path, log, AT + timedelta(hours=5))

    assert again.digest == published.digest
    assert frozen(tmp_path, published.digest) == before
    assert log.size() == 1


def test_a_directory_that_is_none_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem) as refused:
        read_directory(tmp_path / "nowhere")

    assert refused.value.code == "policy.no-directory"


def test_only_the_policy_and_its_texts_are_read(tmp_path: Path) -> None:
    (tmp_path / "text" / "sv").mkdir(parents=True)
    (tmp_path / "policy.yaml").write_bytes(b'\xef\xbb\xbfformat: "1"\r\n')
    (tmp_path / "text" / "sv" / "a.md").write_bytes(b"@ a\n\xff\n")
    (tmp_path / "README.md").write_text("not ours")

    assert read_directory(tmp_path) == {"policy.yaml": 'format: "1"\n', "text/sv/a.md": "@ a\n\udcff\n"}


def test_a_choice_covers_the_versions_that_ask_for_the_same(tmp_path: Path, log: Log) -> None:
    first = verbs.publish(SMALL, tmp_path, log, AT)
    widened = SMALL | {
        "policy.yaml": SMALL["policy.yaml"].replace("    data: [visit]\n", "    data: [visit, choice]\n", 1)
    }
    second = verbs.publish(widened, tmp_path, log, AT)

    assert reads.asked_anew(tmp_path, first.digest[:16], first.digest) == frozenset()
    assert reads.asked_anew(tmp_path, first.digest[:16], second.digest) == {"statistics"}
    assert reads.asked_anew(tmp_path, second.digest[:16], second.digest) == frozenset()


def test_a_choice_on_a_version_nobody_knows_covers_nothing(tmp_path: Path, log: Log) -> None:
    published = verbs.publish(SMALL, tmp_path, log, AT)

    assert reads.asked_anew(tmp_path, "0" * 16, published.digest) == set(published.policy.purposes)
