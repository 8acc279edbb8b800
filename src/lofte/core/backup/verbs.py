"""What becomes of copies: keys that opened what was erased since must not lie anywhere for long."""

from datetime import datetime, timedelta
from pathlib import Path

from lofte.core import actions, clock, vault
from lofte.core.backup import manifest as manifests
from lofte.core.backup.models import Copy
from lofte.core.holdings import NotPersonal, declare
from lofte.core.tasks import duty
from lofte.kernel.problems import Problem

_TECHNICAL = NotPersonal("says where and when a copy was made, not of whom")
declare(
    Copy, run=_TECHNICAL, what=_TECHNICAL, place=NotPersonal("an operator's directory"), made_at=_TECHNICAL, bytes=_TECHNICAL,
    log_size=_TECHNICAL, epochs=_TECHNICAL, verified_at=_TECHNICAL, delete_by=_TECHNICAL, gone_at=_TECHNICAL,
)  # fmt: skip


@duty("backup.expire", every=timedelta(hours=1))
def expire(at: datetime) -> object:
    """Deletes copies past their day, and copies of the keys that a newer one has replaced since the keys were wrapped anew."""
    return delete_due(at)


def delete_due(at: datetime) -> int:
    """As far as their places can be reached from here. Returns how many are gone now."""
    gone = 0
    for copy in Copy.objects.filter(gone_at=None).order_by("made_at"):
        if _is_due(copy, at) and _delete(copy, at):
            gone += 1
    return gone


def _is_due(copy: Copy, at: datetime) -> bool:
    if copy.delete_by is not None and copy.delete_by <= at:
        return True
    if copy.what != Copy.What.KEYS:
        return False
    held = {each.name for each in vault.epochs() if each.is_there}
    newer = Copy.objects.filter(what=Copy.What.KEYS, gone_at=None, made_at__gt=copy.made_at).exclude(verified_at=None)
    return not held >= set(copy.epochs) and any(held >= set(each.epochs) for each in newer)


def _delete(copy: Copy, at: datetime) -> bool:
    """Whether it is gone now. A place that cannot be reached stays on the list until somebody says that it is gone."""
    if not copy.place:
        return False
    place = Path(copy.place)
    part = place.with_name(f".{place.name}.part")
    try:
        if place.is_dir():
            manifests.read(place)  # only what is a copy of ours is deleted
            manifests.destroy(place)
        elif part.is_dir():
            if copy.verified_at is None and at - copy.made_at < timedelta(hours=12):
                return False  # somebody is at it
            manifests.destroy(part)
        elif not place.parent.is_dir():
            return False
    except (OSError, Problem):
        return False
    return _gone(copy, at)


def know(said: manifests.Manifest, place: Path) -> None:
    """A copy that lies there is on the list, whoever made it."""
    Copy.objects.get_or_create(
        run=said.run, what=said.what,
        defaults={
            "place": str(place), "made_at": datetime.fromisoformat(said.made_at), "bytes": said.bytes, "log_size": said.log_size,
            "epochs": list(said.epochs), "verified_at": clock.now(),
            "delete_by": datetime.fromisoformat(said.delete_by) if said.delete_by else None,
        },
    )  # fmt: skip


def know_of(run: str, made_at: datetime, end: datetime) -> None:
    """The log speaks of a copy of the keys that is not on the list: nobody here knows where it lies.

    Once its day is past, the house that made it has deleted it, or has said that it could not.
    """
    if end > clock.now() and not Copy.objects.filter(run=run, what=Copy.What.KEYS).exists():
        Copy.objects.create(run=run, what=Copy.What.KEYS, place="", made_at=made_at, delete_by=end)


def confirm_gone(run: str, at: datetime) -> int:
    """Somebody says that the copies of this run were deleted where we cannot see them. Returns how many were on the list."""
    return sum(_gone(copy, at) for copy in Copy.objects.filter(run=run, gone_at=None))


def _gone(copy: Copy, at: datetime) -> bool:
    moved = Copy.objects.filter(pk=copy.pk, gone_at=None).update(gone_at=at)
    if moved:
        actions.record("backup.deleted", "system", what=copy.what, made=f"{copy.made_at:%Y-%m-%d}")
    return moved > 0
