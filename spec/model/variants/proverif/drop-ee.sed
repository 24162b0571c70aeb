# Mutation: message 2 no longer mixes ee, the DH of the two ephemerals.
s/let ee = dh(e, F) in/let ee = ZERO in/
s/let ee = dh(f, E) in/let ee = ZERO in/
