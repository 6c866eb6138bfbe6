"""What is a foundation worth to a firm with few labelled rows, and to one with many? The grid, its study, its law."""
