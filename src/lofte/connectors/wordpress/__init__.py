"""A WordPress site with our plugin, connected by one mapping file.

Access and erasure become WordPress' own privacy requests there, worked off by the exporters and erasers of core and of every
plugin; reading back asks the tables, not the erasers. Calls are signed, and addresses travel in bodies only.

How to: [WordPress](../howto/wordpress.md).
"""
