"""The vault: what is sealed opens only where it belongs, and a destroyed key is destroyed."""

import os
import stat
import uuid

import pytest

from lofte.core import vault
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

    assert vault.rotate_epoch() == 1

    files = set((home / "keys").glob("epoch-*.key"))
    assert len(files) == 1
    assert not files & old_files
    assert vault.opener(owner).open(record, sealed) == b"Kari"
    OwnerKey.objects.filter(pk=owner).update(wrapped=old_row.wrapped, epoch=old_row.epoch)  # a copy from an old backup
    with pytest.raises(Problem, match=r"vault\.closed"):
        vault.opener(owner)


def test_a_rotation_that_was_killed_half_way_leaves_both_epochs_readable_and_can_be_finished(home, monkeypatch):
    owners = [uuid.uuid4() for _ in range(5)]
    for each in owners:
        vault.make_key(each)
    rewrap, done = vault._rewrap, []

    def die_at_third(row, key, fresh):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(row.owner)
        return rewrap(row, key, fresh)

    monkeypatch.setattr(vault, "_rewrap", die_at_third)
    with pytest.raises(KeyboardInterrupt):
        vault.rotate_epoch()
    monkeypatch.undo()

    assert all(vault.opener(each).key for each in owners)
    assert OwnerKey.objects.values("epoch").distinct().count() == 2
    vault.rotate_epoch()
    assert all(vault.opener(each).key for each in owners)
    assert len(list((home / "keys").glob("epoch-*.key"))) == 1


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
