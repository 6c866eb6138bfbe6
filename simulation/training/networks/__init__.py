"""What do the networks compute, many of them in one batch?"""
