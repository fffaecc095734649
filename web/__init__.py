"""The web desk: what customers and services reach of the office over the web."""
