"""Newsletter forms, and boxes ticked on other forms: nothing counts before the mail that goes out here is confirmed."""

from uuid import UUID

from lofte.core import publication
from lofte.features.outreach import verbs
from lofte.features.outreach.forms import intake
from lofte.features.outreach.forms.intake import Submission, Taken
from lofte.features.outreach.forms.specs import BoxWords


@intake.takes("newsletter")
def subscribe(sent: Submission) -> Taken:
    verbs.ask_to_subscribe(sent.market, sent.locale, sent.values, form=sent.form.id, remote=sent.remote)
    return Taken("forms.thanks_confirm")


@intake.asks
def ask(sent: Submission, box: BoxWords) -> UUID | None:
    """Ask for the consent of a box, with those of the given values its purpose uses."""
    used = publication.current().policy.purposes[box.purpose].fields
    values = {field: value for field, value in sent.values.items() if field in used}
    verbs.ask_to_subscribe(sent.market, sent.locale, values, remote=sent.remote)
    return None
