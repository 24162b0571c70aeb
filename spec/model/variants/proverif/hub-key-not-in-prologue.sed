# Mutation: the hub's key is not in the prologue; es still mixes it.
s/h((PROTO, ver, did, pkh), p2b(pk(e)))/h((PROTO, ver, did), p2b(pk(e)))/
s/h((PROTO, ver, did, pkh), p2b(E))/h((PROTO, ver, did), p2b(E))/
