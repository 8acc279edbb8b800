"""Findings: what was seen on our own pages that the policy does not describe. Hosts and names, never people."""
