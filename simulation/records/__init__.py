"""Which columns and events does a world record, and what do they mean?"""
