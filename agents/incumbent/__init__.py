"""What does an incumbent perceive of startups, and how does it answer: with models, prices, acquisitions?"""
