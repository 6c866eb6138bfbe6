"""What does every firm have, whatever it is: laboratory, sales, staff, risk, remedies, services?"""
