"""The brake: a run that would take more people than the policy allows takes nobody until two members of staff let it go."""
