# The attacker has no access secret while the handshake runs; it is stolen in
# phase 1 together with the static keys.
s/knows public psk0$/knows private psk0/
s/^principal Client\[leaks cs\]$/principal Client[leaks cs, psk0]/
