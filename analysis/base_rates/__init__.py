"""Does the base world behave like published base rates?"""
