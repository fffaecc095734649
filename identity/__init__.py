"""Who somebody is: portal users and staff, what they sign in with, and what is theirs."""
