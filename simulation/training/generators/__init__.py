"""How are generative models trained, and of what use are their rows?"""
