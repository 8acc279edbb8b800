"""Which log this is: its store, its signing key and the copy of its last head, which must belong together."""

from collections.abc import Callable
from pathlib import Path

from lofte.evidence import keys
from lofte.evidence.checkpoint import Checkpoint
from lofte.evidence.note import SignerKey
from lofte.evidence.sqlite_store import SqliteStore
from lofte.evidence.store import Store
from lofte.evidence.tree import EMPTY_ROOT
from lofte.kernel.problems import Problem


def open_store(location: str | Path, random: Callable[[int], bytes]) -> Store:
    if str(location).startswith(("postgresql://", "postgres://")):
        from lofte.evidence.postgres_store import PostgresStore  # psycopg is an extra: only who uses it needs it

        return PostgresStore(str(location), random(16).hex())
    return SqliteStore(Path(location))


def identify(
    store: Store, directory: Path, origin: str, random: Callable[[int], bytes]
) -> tuple[SignerKey, keys.LastSigned]:
    """Key, second head and store, made in this order, so that a crash between two leaves nothing that cannot be
    resumed.
    """
    signer = keys.read_signer(directory / "log.key")
    second = keys.LastSigned(directory / "last_signed")
    begun = store.identity()
    if signer is None and (begun or second.exists()):
        raise Problem(
            "evidence.no-key",
            "this log exists but its signing key is missing",
            way_out="Put keys/log.key back from its backup; a new key cannot continue an old log.",
            status=503,
        )
    if signer is None:
        signer = keys.create_signer(directory / "log.key", origin, random(32))
    vkey = str(signer.verifier)
    if signer.verifier.name != origin or begun not in (None, (origin, vkey)):
        raise Problem(
            "evidence.foreign-log",
            "origin, signing key and store do not belong together",
            expected=f"the log {origin}",
            way_out="Start with the origin, keys directory and store that were made together.",
            status=503,
        )
    if not second.exists() and begun is None:
        second.create(signer.sign(Checkpoint(origin, 0, EMPTY_ROOT).text()))
    if begun is None:
        store.begin(origin, vkey)
    return signer, second
