"""How do market, capital, compute, labour and law work, month by month, whoever acts in them?"""
