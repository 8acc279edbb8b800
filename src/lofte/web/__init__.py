"""The door for people: newsletter pages, portal, staff console. Parses, authorises, calls one verb, renders."""
