"""What customers choose for themselves: how they pay, how bills come, their own account."""
