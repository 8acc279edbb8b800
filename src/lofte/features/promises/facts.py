"""What this room does when others report."""

from lofte.features.promises import verbs

SUBSCRIPTIONS = {"verdict": verbs.note_evidence}
