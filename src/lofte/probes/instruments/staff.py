"""Two members of staff who exist for a few trials and can never log in."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import Group, User

from lofte.core import roles
from lofte.core.models import Approval


@contextmanager
def two_of_staff(*permissions: str) -> Iterator[tuple[str, str]]:
    """Their names as actors; both have a role with these permissions, if there is one."""
    wanted = set(permissions)
    may = next((name for name, one in roles.declared().items() if wanted <= one.grants()), "")
    people: list[User] = []
    try:
        for _ in range(2):
            account = User.objects.create(username=f"probe-{secrets.token_hex(8)}", is_staff=True)
            people.append(account)
            account.set_unusable_password()
            account.save()
            if may:
                account.groups.add(Group.objects.get_or_create(name=may)[0])
        yield f"staff:{people[0].pk}", f"staff:{people[1].pk}"
    finally:
        for account in people:
            Approval.objects.filter(asked_by=f"staff:{account.pk}").delete()
            account.delete()
