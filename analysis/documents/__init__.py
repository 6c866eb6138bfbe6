"""Which figures of the documents come from which result file? `python -m analysis.documents` writes them."""
