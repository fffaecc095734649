"""Mail to customers: recorded before it is sent, resumed after a crash."""
