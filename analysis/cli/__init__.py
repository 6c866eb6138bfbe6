"""What does each `ventures` command accept?"""
