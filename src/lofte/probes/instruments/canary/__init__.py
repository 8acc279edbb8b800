"""A made-up person who walks the real paths: signs up, confirms, is written to, looks, downloads, leaves, is erased.

Through the public pages and a real mailbox. Canaries are marked by their address (``canary-...``), no other subscriber is
written to, and whatever a round leaves behind (a crash, a broken promise) is removed by that round or the next.
"""

from lofte.probes.instruments.canary.rounds import walk
from lofte.probes.instruments.canary.seen import Walked

__all__ = ["Walked", "walk"]
