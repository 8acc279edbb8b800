"""Forms people fill in: which there are, what is taken in, and with which words it was asked for."""
