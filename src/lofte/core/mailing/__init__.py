"""How mail travels: how it is built and signed, handed over, and what comes back. `core.mail` is what rooms write letters with."""
