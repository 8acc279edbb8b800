"""What pixels are told by a visitor who types who they are, and whether each platform's policy is linked beside its name."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.probes.instruments import pages
from lofte.probes.instruments.identified import told
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.pixels_not_identifying import PixelsTold


def _gather(world: World, parameters: Mapping[str, Any]) -> PixelsTold:
    recipients = world.published.policy.recipients
    platforms = [one for key in parameters.get("links", ()) if (one := recipients.get(key)) is not None]
    links = pages.linking(world, [one.privacy_url for one in platforms if one.privacy_url])
    return PixelsTold(told(world, parameters.get("tags", ())), links)


PROBE = Probe("pixels_not_identifying", every=timedelta(hours=6), gather=_gather)
