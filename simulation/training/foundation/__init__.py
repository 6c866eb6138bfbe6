"""How does a model learn the language from text without labels, and how is it adapted to a sector's task?"""
