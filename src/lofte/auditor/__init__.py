"""A real browser that looks at any site and says what it saw.

The room stands empty until the auditor is built; until then the browser probes in `lofte.probes` watch our own sites only.
"""
