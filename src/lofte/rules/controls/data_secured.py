"""Personal data is encrypted where it is stored and where it travels, behind a second factor, and every access is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved

Transport = Literal["tls", "here", "clear", "unreached"]


@dataclass(frozen=True, slots=True)
class Stores:
    """Places at rest, and the ways data travels.

    ``in_clear`` are tables and columns where the canary's data was found readable, ``unsealed`` columns for sealed values that
    hold text, of whomever. ``keyless`` counts people without a key of their own; ``loose_keys`` are key files others may read.
    """

    searched: int
    in_clear: tuple[str, ...] = ()
    unsealed: tuple[str, ...] = ()
    people: int = 0
    keyless: int = 0
    loose_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ways:
    """``transport`` of the public ``address``; ``here`` is an address of this machine alone. ``clear_mail`` and
    ``clear_database`` are hosts elsewhere that are spoken to without encryption being demanded.
    """

    transport: Transport
    address: str
    clear_mail: str = ""
    clear_database: str = ""


@dataclass(frozen=True, slots=True)
class Doors:
    """Pages about people that opened for nobody in particular, or for an account with nothing but a password.

    ``tried`` is false when the account could not even open a page that a password opens: then nothing was learnt.
    """

    tried: bool
    open_to_all: tuple[str, ...] = ()
    password_enough: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secured:
    stores: Stores
    ways: Ways
    doors: Doors
    recorded: bool | None = None
    """Whether a read of the canary left its trace; None when it was not tried."""


def _judge(seen: Secured, parameters: Mapping[str, Any]) -> Verdict:
    """Parameters: ``second_factor`` and ``reads_logged`` are demanded unless the promise says otherwise."""
    return (
        _at_rest(seen.stores)
        or _on_the_way(seen.ways)
        or _at_the_door(seen.doors, parameters)
        or (broken("unrecorded") if seen.recorded is False and parameters.get("reads_logged", True) else None)
        or _whole(seen, parameters)
    )


def _at_rest(seen: Stores) -> Verdict | None:
    if seen.in_clear:
        return broken("in-clear", places=listed(seen.in_clear))
    if seen.unsealed:
        return broken("unsealed", places=listed(seen.unsealed))
    if seen.keyless:
        return broken("keyless", count=seen.keyless)
    return broken("loose-keys", files=listed(seen.loose_keys)) if seen.loose_keys else None


def _on_the_way(seen: Ways) -> Verdict | None:
    if seen.transport == "clear":
        return broken("no-tls", address=seen.address)
    if seen.clear_mail:
        return broken("mail-in-clear", host=seen.clear_mail)
    return broken("database-in-clear", host=seen.clear_database) if seen.clear_database else None


def _at_the_door(seen: Doors, parameters: Mapping[str, Any]) -> Verdict | None:
    if seen.open_to_all:
        return broken("open-to-all", pages=listed(seen.open_to_all))
    if seen.password_enough and parameters.get("second_factor", True):
        return broken("password-enough", pages=listed(seen.password_enough))
    return None


def _whole(seen: Secured, parameters: Mapping[str, Any]) -> Verdict:
    stores, ways = seen.stores, seen.ways
    if not stores.searched or seen.recorded is None:
        return unproved("nothing-searched")
    if ways.transport == "unreached":
        return unproved("unreached", columns=stores.searched, address=ways.address)
    if not seen.doors.tried and parameters.get("second_factor", True):
        return unproved("no-console", columns=stores.searched)
    return kept("kept-here" if ways.transport == "here" else "kept", columns=stores.searched, people=stores.people)


CONTROL = Control(
    id="data_secured",
    law=("GDPR 32(1)", "GDPR 5(1)(f)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "register", "mailbox"}),
    judge=_judge,
)
