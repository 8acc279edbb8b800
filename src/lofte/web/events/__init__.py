"""Pages about events for whoever comes: what there is, one event with its form, and giving up a place."""
