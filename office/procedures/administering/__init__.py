"""Settings that staff change: tried, written into the settings file, written down, taken back."""
