# The client uses the same static key with a hub of the attacker's as well.
s/^Hub -> Client: \[ghs\]$/& principal Other[knows private os] principal Other[gos = PUBKEY(os) leaks os] Other -> Client: [gos]/
s/^	gce = PUBKEY(ce)$/& knows public peer/
s/c_h1 = HASH(prologue, ghs, gce)/c_h1 = HASH(prologue, peer, gce)/
s/DH_KEX(ghs, ce)/DH_KEX(peer, ce)/
s/^queries\[$/scenarios[ Client[peer = ghs] Client[peer = gos] ] &/
