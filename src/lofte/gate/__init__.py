"""The gate in front of a site: nothing third-party loads, and nothing undeclared is stored, before the visitor says so.

Three layers from one declaration: the HTML is held, the Content Security Policy of the consent state is sent, and a
small guard watches what page code writes. Knows no Django and no `core`; `cli` wires it around the site's ASGI app.
"""

from lofte.gate.consent import ConsentState, Declarations
from lofte.gate.middleware import Gate
from lofte.gate.report import HeldReport

__all__ = ["ConsentState", "Declarations", "Gate", "HeldReport"]
