# Harvest now, decrypt later: in phase 1 every X25519 secret of the recorded
# handshake, static and ephemeral, falls out of its public key.
s/PUBKEY(\([hc][se]\))/PUBKEY[weak from phase 1](\1)/
