"""How are classifiers of all kinds trained and measured?"""
