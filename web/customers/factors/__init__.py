"""Ways to sign in beside the password: the code of a phone, passkeys."""
