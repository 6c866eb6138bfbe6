"""What does the state do: enforce the law, fund research, train people?"""
