"""A billing export: its folder, its files, their cells and the notes about them."""
