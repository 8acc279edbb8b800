"""The page on roles says what the code says."""

from docs.generate import roles as made

from lofte.core import roles


def test_every_permission_is_described_and_none_that_is_not_there():
    assert tuple(made.PERMISSIONS) == made.permissions() == roles.PERMISSIONS


def test_every_act_that_takes_two_people_is_described():
    assert made.acts_in_code() == set(made.ACTS)


def test_the_example_of_roles_is_a_file_the_code_takes():
    assert list(roles.read(made._example(), "roles.yaml")) == ["lead", "support"]


def test_what_a_password_opens_is_read_from_the_code():
    assert made.by_password() == roles.BY_PASSWORD
