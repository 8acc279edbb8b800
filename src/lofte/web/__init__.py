"""The door for people: newsletter pages, portal and staff console. Parses, authorises, calls one verb or read, renders."""
