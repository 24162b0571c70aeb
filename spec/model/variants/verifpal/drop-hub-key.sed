# Mutation: the hub's key is neither in the transcript nor in a DH (no es).
s/HASH(prologue, ghs, gce)/HASH(prologue, gce)/
s/DH_KEX(ghs, ce)/nil/
s/DH_KEX(gce, hs)/nil/
