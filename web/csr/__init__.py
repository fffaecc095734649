"""The console of customer service: find a customer, see, help, lock, look with their eyes."""
