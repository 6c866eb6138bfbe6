"""How long does a market month take, against which alternatives?"""
