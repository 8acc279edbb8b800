"""Newsletter forms, and boxes ticked on other forms: nothing counts before the mail that goes out here is confirmed."""

from uuid import UUID

from lofte.core import publication
from lofte.features.outreach import signups
from lofte.features.outreach.forms import intake, specs
from lofte.features.outreach.forms.intake import Submission, Taken
from lofte.features.outreach.forms.specs import BoxWords


@intake.takes("newsletter")
def subscribe(sent: Submission) -> Taken:
    """The box of the form's own purpose is what was asked for. Until it is confirmed the form belongs to a provisional person."""
    for box in specs.words(sent.form, sent.market, sent.locale).boxes:
        if box.required:
            sent.person = ask(sent, box)
    return Taken("forms.thanks_confirm")


@intake.asks
def ask(sent: Submission, box: BoxWords) -> UUID | None:
    """Ask for the consent of a box, with those of the given values its purpose uses."""
    used = publication.current().policy.purposes[box.purpose].fields
    values = {field: value for field, value in sent.values.items() if field in used}
    agreed = signups.Agreed(box.purpose, box.channel, box.shown)
    return signups.ask_to_subscribe(
        sent.market, sent.locale, values, form=sent.form.id, remote=sent.remote, agreed=agreed
    )
