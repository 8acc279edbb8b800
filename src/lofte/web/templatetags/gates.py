"""`{% transfers_wanting as n %}`: how many transfers lack a valid tool or are about to, for the board."""

from django import template

from lofte.core import clock
from lofte.core.gates import tools

register = template.Library()


@register.simple_tag
def transfers_wanting() -> int:
    today = clock.now().date()
    lacking = {(each.recipient, each.country) for each in tools.denied(today)}
    return len(lacking | {(each.about, each.country) for each in tools.running_out(today)})
