"""Which values of the free parameters bring the base world near its targets?"""
