"""Policy versions: read a directory, publish it, look at what was published. Holds no rows and no personal data."""
