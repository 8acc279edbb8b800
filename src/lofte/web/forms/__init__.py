"""Forms as pages, as a piece of HTML for any site, and what comes back from both."""
