# The client's static key is stolen before the handshake.
s/gcs = PUBKEY(cs)$/& leaks cs/
s/^principal Client\[leaks cs\]$//
