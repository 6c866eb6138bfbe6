"""How does anything reach the screen? Consoles that print texts as written, and streams that any terminal can take."""
