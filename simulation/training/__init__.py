"""Real training: plans in, measured networks out. Needs torch, NumPy, safetensors and nothing else of the project."""
