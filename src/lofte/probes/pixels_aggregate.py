"""Whether anything about a single person has come in from a pixel's platform: values, and signs of interest, by their source."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count

from lofte.features.register.models import Holding, Signal
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.pixels_aggregate import PixelYield


def _gather(world: World, parameters: Mapping[str, Any]) -> PixelYield:
    policy = world.published.policy
    tags = {key: policy.tags[key] for key in parameters.get("tags", ()) if key in policy.tags}
    recipients = {tag.recipient for tag in tags.values()}
    systems = {key for key, one in policy.systems.items() if one.recipient in recipients}
    single: Counter[str] = Counter()
    for model in (Holding, Signal):
        rows = model.everyone.values_list("source").annotate(count=Count("pk")).order_by()
        single.update(
            {source: count for source, count in rows if not {*tags, *recipients, *systems}.isdisjoint(_parts(source))}
        )
    return PixelYield(tuple(tag.name for tag in tags.values()), dict(single))


def _parts(source: str) -> list[str]:
    """`import:meta-pixel` says how and from where."""
    return re.split(r"[:/]", source)


PROBE = Probe("pixels_aggregate", every=timedelta(hours=6), gather=_gather)
