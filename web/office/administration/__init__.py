"""The pages on which staff change the settings of their office."""
