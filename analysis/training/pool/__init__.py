"""Which networks would worlds that share a pool of seeds and lucks need most, and how much does a pool change?"""
