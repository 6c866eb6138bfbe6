"""How does a startup budget, price, raise, pivot and end?"""
