"""Who acts in the market, by which rules, and who enters it?"""
