# A quantum computer during the handshake: every X25519 public key gives up
# its secret at once.
s/PUBKEY(\([hc][se]\))/PUBKEY[weak](\1)/
