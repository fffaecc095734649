"""What proves who signs in beside a password: a phone, passkeys, a browser known before."""
