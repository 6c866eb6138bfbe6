"""How are worlds played: seeds in blocks, worker processes, progress, interrupts?"""
