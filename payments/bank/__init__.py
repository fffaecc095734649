"""What the bank says of our deposits: files read, kept, and matched with payouts."""
