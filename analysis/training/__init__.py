"""What do whole grids of training runs show, and how are ledgers handed on?"""
