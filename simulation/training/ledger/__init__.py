"""What was trained before, and is what the ledger says true?"""
