"""What this room does when others report."""

from lofte.features.outreach.inquiries import follow

SUBSCRIPTIONS = {"erasure.partial": follow.on_partly_erased, "mail.came_back": follow.on_came_back}
