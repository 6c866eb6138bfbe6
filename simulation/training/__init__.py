"""Real training: plans in, measured networks out. Needs torch and NumPy and nothing else of the project."""
