"""What the billing system tells between two closes, and what it is told."""
