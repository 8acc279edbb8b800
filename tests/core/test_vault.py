"""The vault: what is sealed opens only where it belongs, and a destroyed key is destroyed."""

import os
import stat
import uuid

import pytest

from lofte.core import clock, vault
from lofte.core.keys.models import OwnerKey, Tombstone
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.usefixtures("home")]


@pytest.fixture
def owner():
    found = uuid.uuid4()
    vault.make_key(found)
    return found


def test_what_is_sealed_opens_again_and_never_looks_the_same_twice(owner):
    record = uuid.uuid4()
    key = vault.opener(owner)

    first, second = key.seal(record, b"Kari"), key.seal(record, b"Kari")

    assert first != second
    assert b"Kari" not in first
    assert key.open(record, first) == key.open(record, second) == b"Kari"


def test_a_ciphertext_moved_to_another_record_does_not_open(owner):
    key = vault.opener(owner)
    sealed = key.seal(uuid.uuid4(), b"Kari")

    with pytest.raises(Problem, match=r"vault\.altered"):
        key.open(uuid.uuid4(), sealed)


def test_a_ciphertext_moved_to_another_person_does_not_open_even_under_the_same_key(owner):
    record, key = uuid.uuid4(), vault.opener(owner)
    sealed = key.seal(record, b"Kari")
    stranger = vault.Opener(uuid.uuid4(), key.version, key.key)

    with pytest.raises(Problem, match=r"vault\.altered"):
        stranger.open(record, sealed)


def test_a_ciphertext_moved_to_another_site_does_not_open(owner, settings):
    record, key = uuid.uuid4(), vault.opener(owner)
    sealed = key.seal(record, b"Kari")
    settings.LOFTE_SITE_ID = uuid.uuid4()

    with pytest.raises(Problem, match=r"vault\.altered"):
        key.open(record, sealed)


@pytest.mark.parametrize("place", [0, 2, 5, 20, -1])
def test_one_altered_byte_is_noticed(owner, place):
    record, key = uuid.uuid4(), vault.opener(owner)
    sealed = bytearray(key.seal(record, b"Kari"))
    sealed[place] ^= 1

    with pytest.raises(Problem, match="vault"):
        key.open(record, bytes(sealed))


def test_a_destroyed_key_is_gone_and_cannot_come_back(owner):
    assert vault.destroy_key(owner)

    with pytest.raises(Problem, match=r"vault\.no-key"):
        vault.opener(owner)
    with pytest.raises(Problem, match=r"vault\.erased"):
        vault.make_key(owner)
    assert vault.is_erased(owner)
    assert str(owner) not in str(list(Tombstone.objects.values()))


def test_destroying_twice_changes_nothing(owner):
    vault.destroy_key(owner)

    assert not vault.destroy_key(owner)
    assert Tombstone.objects.count() == 1


def test_a_new_epoch_opens_everything_and_the_old_epoch_key_is_gone(owner, home):
    record = uuid.uuid4()
    sealed = vault.opener(owner).seal(record, b"Kari")
    old_row = OwnerKey.objects.get(pk=owner)
    old_files = set((home / "keys").glob("epoch-*.key"))

    assert vault.rotate_epoch().keys == 1

    files = set((home / "keys").glob("epoch-*.key"))
    assert len(files) == 1
    assert not files & old_files
    assert vault.opener(owner).open(record, sealed) == b"Kari"
    OwnerKey.objects.filter(pk=owner).update(wrapped=old_row.wrapped, epoch=old_row.epoch)  # a copy from an old backup
    with pytest.raises(Problem, match=r"vault\.closed"):
        vault.opener(owner)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_rotation_that_was_stopped_half_way_leaves_every_key_readable_and_goes_on(home, monkeypatch, at):
    owners = [uuid.uuid4() for _ in range(5)]
    vault.make_keys(owners)
    monkeypatch.setattr(vault, "_BATCH", 2)
    told = []

    stopped = vault.rotate_epoch(lambda done, total: told.append((done, total)), lambda: len(told) > at)

    assert not stopped.is_whole
    assert all(vault.opener(each).key for each in owners)
    assert len(list((home / "keys").glob("epoch-*.key"))) == 2
    ended = vault.rotate_epoch()
    assert (ended.is_whole, ended.epoch, stopped.keys + ended.keys) == (True, stopped.epoch, 5)
    assert all(vault.opener(each).key for each in owners)
    assert [file.name for file in (home / "keys").glob("epoch-*.key")] == [f"epoch-{ended.epoch}.key"]


def test_a_key_made_while_the_epoch_ends_is_not_lost_with_it(home, monkeypatch):
    vault.make_key(uuid.uuid4())
    late = uuid.uuid4()
    real = vault._epochs_end

    def make_one_first():
        if not vault.has_key(late):
            monkeypatch.setattr(vault, "current_epoch", lambda: vault._epochs()[0])  # read before the new one was there
            vault.make_key(late)
        return real()

    monkeypatch.setattr(vault, "_epochs_end", make_one_first)

    assert vault.rotate_epoch().keys == 2
    assert vault.opener(late).key


def test_a_key_destroyed_while_its_batch_is_wrapped_stays_destroyed(owner, monkeypatch):
    real = vault._wrap

    def destroy_then_wrap(whose, *rest):
        vault.destroy_key(whose)
        return real(whose, *rest)

    monkeypatch.setattr(vault, "_wrap", destroy_then_wrap)
    vault.rotate_epoch()

    assert not vault.has_key(owner)


def test_two_rotations_at_once_are_one(home):
    vault.make_key(uuid.uuid4())

    with vault._rotating(), pytest.raises(Problem, match=r"vault\.rotating"):
        vault.rotate_epoch()
    assert vault.rotate_epoch().is_whole


def test_a_key_whose_epoch_is_gone_keeps_the_old_epochs_and_is_told(owner, home):
    OwnerKey.objects.create(owner=uuid.uuid4(), epoch="19990101T000000-000000", wrapped=b"0" * 60, made_at=clock.now())

    with pytest.raises(Problem, match=r"vault\.closed"):
        vault.rotate_epoch()
    assert vault.opener(owner).key
    assert next((each.keys, each.is_there) for each in vault.epochs()) == (1, False)


def test_many_keys_are_made_at_once_or_none(owner):
    free = [uuid.uuid4() for _ in range(3)]

    with pytest.raises(Problem, match=r"vault\.has-key"):
        vault.make_keys([*free, owner])
    assert not any(vault.has_key(each) for each in free)
    assert set(vault.make_keys(free)) == set(free)
    assert all(vault.opener(each).key for each in free)


def test_without_its_epoch_key_the_vault_is_closed_not_open(owner, home):
    for file in (home / "keys").glob("epoch-*.key"):
        file.unlink()

    with pytest.raises(Problem, match=r"vault\.closed"):
        vault.opener(owner)


def test_a_wrong_epoch_key_closes_the_vault(owner, home):
    for file in (home / "keys").glob("epoch-*.key"):
        file.write_bytes(os.urandom(32))

    with pytest.raises(Problem, match=r"vault\.closed"):
        vault.opener(owner)


def test_key_files_are_readable_by_nobody_else(owner, home):
    for file in (home / "keys").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_the_house_seals_opens_only_as_that_record():
    record = uuid.uuid4()
    sealed = vault.seal_for_house(record, b"kari@example.no")

    assert vault.open_for_house(record, sealed) == b"kari@example.no"
    with pytest.raises(Problem):
        vault.open_for_house(uuid.uuid4(), sealed)
