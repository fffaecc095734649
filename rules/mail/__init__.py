"""Rules of mail: who gets what, when a reminder is owed, what a bounce means."""
