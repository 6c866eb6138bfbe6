"""How fast is training, against which alternatives?"""
