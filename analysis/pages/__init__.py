"""Which figures of the documents come from which result file? `python -m analysis.pages` writes them."""
