"""How does a result look on the screen?"""
