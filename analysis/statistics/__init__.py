"""How sure is a figure: intervals, paired differences, survival?"""
