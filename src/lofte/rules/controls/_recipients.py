"""Recipients as declared and as contacted: what P24 and P25 are judged from."""

from dataclasses import dataclass
from datetime import date

# The European Union and the three EFTA states in the EEA Agreement (Protocol 1; OJ L 1, 3.1.1994).
EEA = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE"}
    | {"IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "IS", "LI", "NO"}
)


@dataclass(frozen=True, slots=True)
class TransferOnFile:
    country: str
    tool: str
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class RecipientOnFile:
    """``markets`` are those it receives data from; ``hosts`` the host patterns its tags use."""

    id: str
    country: str
    markets: frozenset[str]
    transfers: tuple[TransferOnFile, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """``count`` disclosures of people of a market that went to a recipient in a country; ``is_allowed``: by the law of that day."""

    market: str
    recipient: str
    country: str
    count: int
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class Denied:
    """What the law denies today of what the policy says a recipient does. ``is_unlisted``: only the proof of a listing lacks."""

    recipient: str
    country: str
    markets: frozenset[str]
    is_unlisted: bool


@dataclass(frozen=True, slots=True)
class Recipients:
    """``contacted`` are pairs of market and third-party host seen by the browser; None when no browser looked.

    ``moved`` is what left the house by its gates, and ``denied`` what the country rule would not let go.
    """

    on_file: tuple[RecipientOnFile, ...]
    today: date
    contacted: tuple[tuple[str, str], ...] | None = None
    moved: tuple[Moved, ...] = ()
    denied: tuple[Denied, ...] = ()
