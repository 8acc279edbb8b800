"""Ends an epoch of the vault as work that people see move: by duty each week, from the shell, or asked for in the console."""

from datetime import datetime, timedelta

from lofte.core import actions, clock, tasks, vault
from lofte.core.progress import verbs as progress
from lofte.core.tasks import duty

NAME = "vault.rotate"
DUTY = "vault.rotate_epoch"
_TELL_EVERY = timedelta(seconds=1)


def rotate(by: str, told: progress.Told = progress.nobody, *, at_most: timedelta | None = None) -> vault.Rotated:
    """Wrap every key anew, or as far as the time goes; killed anywhere or out of time, the next call goes on.

    ``by`` is who wants it: ``system``, ``operator`` or ``staff:<id>``.
    """
    began, last = clock.now(), clock.now() - _TELL_EVERY
    left = progress.unfinished(NAME)
    if left is not None and len(vault.epochs()) < 2:  # killed between the last old key and the note that it went
        progress.finish(left)
    work = progress.begin(NAME, "keys", 0)

    def tell(done: int, total: int) -> None:
        nonlocal last
        if clock.now() - last >= _TELL_EVERY:
            progress.move(work, done, total=total)
            last = clock.now()
        told(done, total)

    ended = vault.rotate_epoch(tell, lambda: at_most is not None and clock.now() - began > at_most)
    if ended.is_whole:
        total = sum(each.keys for each in vault.epochs())
        progress.move(work, total, total=total)
        progress.finish(work)
        actions.record("vault.rotated", by, keys=total)
        told(total, total)
    return ended


@duty("vault.rotate_epoch", every=timedelta(days=7))
def rotate_by_duty(at: datetime) -> object:
    """Wraps each person's key anew and destroys the old wrapping key, so that old backups open nothing."""
    return None if rotate("system", at_most=progress.A_ROUND).is_whole else tasks.AGAIN


def rotate_soon() -> None:
    """Let the next round of duties begin (two people have decided so)."""
    tasks.hurry(DUTY, clock.now())
