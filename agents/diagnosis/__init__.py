"""Why did a firm end: what set it apart from its peers, and what would have kept it alive?"""
