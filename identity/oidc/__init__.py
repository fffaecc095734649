"""Signing in with an account at Google or Apple (OpenID Connect)."""
