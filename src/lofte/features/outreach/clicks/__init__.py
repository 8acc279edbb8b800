"""How often a link of a campaign is followed, never by whom: only where the policy says that clicks are counted."""
