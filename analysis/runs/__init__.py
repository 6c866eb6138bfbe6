"""What is in a run folder, how is it written, checked and read?"""
