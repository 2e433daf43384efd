"""What an operator can turn on: the log of answers, and a second model that answers the same requests."""
