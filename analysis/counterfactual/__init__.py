"""What would have happened to one firm with another choice, from the same month and the same luck?"""
