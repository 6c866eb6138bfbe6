"""What do sectors have in common? A language: random rules on several levels, of which the lower ones are shared."""
