"""This room when two persons turn out to be one (`core.merging`)."""

from uuid import UUID

from lofte.core import merging
from lofte.features.rights import own_acts
from lofte.features.rights.models import Correction, Erasure, Restriction
from lofte.kernel.problems import Problem


def merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """Requests keep their history, a restriction of either holds for both, corrections in waiting follow. An erasure of either must
    end first."""
    if Erasure.objects.filter(subject__in=(keep, gone)).exists():
        raise Problem("merge.erasure", "one of the two is being erased", law="GDPR 17", status=409)
    own_acts.merge(keep, gone)
    return {
        "rights_correction": merging.move(Correction, keep, gone, sealed=["sealed"]),
        "rights_restriction": merging.move(Restriction, keep, gone),
    }
