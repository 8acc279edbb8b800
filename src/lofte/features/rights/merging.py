"""This room when two persons turn out to be one (`core.merging`)."""

from uuid import UUID

from lofte.core import merging
from lofte.features.rights.models import Correction, Erasure
from lofte.kernel.problems import Problem


def merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """Corrections in waiting follow. An erasure of either of them must end first."""
    if Erasure.objects.filter(subject__in=(keep, gone)).exists():
        raise Problem("merge.erasure", "one of the two is being erased", law="GDPR 17", status=409)
    return {"rights_correction": merging.move(Correction, keep, gone, sealed=["sealed"])}
