"""Groups of people by declared fields, which each of them can see."""
