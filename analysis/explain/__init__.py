"""Why did this firm end as it did?"""
