"""What a round of canaries saw, as the controls want it."""

from dataclasses import dataclass, field

from lofte.probes.instruments import trials
from lofte.rules.controls.contact_route import Asked
from lofte.rules.controls.erasure_complete import ErasureWalk
from lofte.rules.controls.export_machine_readable import ExportWalk
from lofte.rules.controls.legitimate_interest_balanced import Objection
from lofte.rules.controls.portal_gives_access import PortalWalk


@dataclass
class Walked:
    """What a round of canaries saw, as the controls want it.

    ``refused`` names parts of receipts that did not verify.
    """

    receipts: int = 0
    refused: list[str] = field(default_factory=list)
    still_there: bool | None = None
    portal: PortalWalk | None = None
    export: ExportWalk | None = None
    erasure: ErasureWalk | None = None
    receipt_pages: list[tuple[str, str]] = field(default_factory=list)
    in_clear: tuple[str, ...] = ()
    searched: int = 0
    people: int = 0
    keyless: int = 0
    back: int = 0
    """People who were erased and are in the register again."""
    tried: trials.Tried | None = None
    objection: Objection | None = None
    asked: Asked | None = None
    customer_fields: tuple[str, ...] = ()
