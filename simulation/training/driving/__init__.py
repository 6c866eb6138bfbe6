"""How is a driving policy trained and measured on the simulated road?"""
