# Asks the unknown-key-share question and the two reachability ones alone:
# with the hub's key gone the others take minutes.
s/^query pc,ph: point, d: bitstring; attacker.*//
s/^query .*==> inj-event.*//
