"""Do a chapter's statements hold, and which of its causes carry them?"""
