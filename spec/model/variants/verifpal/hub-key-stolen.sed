# The hub's static key is stolen before the handshake.
s/ghs = PUBKEY(hs)$/& leaks hs/
s/^principal Hub\[leaks hs\]$//
