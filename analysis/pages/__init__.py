"""Which parts of the documents come from which file? `python -m analysis.pages` writes them."""
