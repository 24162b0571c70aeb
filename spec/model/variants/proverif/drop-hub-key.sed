# Mutation: the hub's key is neither in the prologue nor in a DH (no es).
s/let es = dh(e, pkh) in/let es = ZERO in/
s/let es = dh(skh, E) in/let es = ZERO in/
s/h((PROTO, ver, did, pkh), p2b(pk(e)))/h((PROTO, ver, did), p2b(pk(e)))/
s/h((PROTO, ver, did, pkh), p2b(E))/h((PROTO, ver, did), p2b(E))/
