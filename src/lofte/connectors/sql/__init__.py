"""Any PostgreSQL, MariaDB, MySQL or SQLite database the company runs, connected by one mapping file.

The mapping says how a person is found, which columns hold which declared field, and what an erasure does to each table; the
database's own foreign keys do the walking. It acts on erasure, correction, access, withdrawal and restriction, and reads back
everything it did. It refuses to start while a column that looks personal is neither mapped nor called not personal.

How to: [connect a database](../howto/connect-a-database.md).
"""
