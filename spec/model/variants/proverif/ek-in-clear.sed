# Mutation: the client's ML-KEM key travels beside message 1 instead of inside
# its AEAD, and is not in the transcript.
s/let h3 = h(h2, (kempk(dk), offer)) in/let h3 = h(h2, offer) in/
s/out(c, (ver, did, pk(e), aenc(k2, n0, h2, (kempk(dk), offer))));/out(c, (ver, did, pk(e), kempk(dk), aenc(k2, n0, h2, offer)));/
s/E: point, c1: bitstring))/E: point, ek: bitstring, c1: bitstring))/
s/let (ek: bitstring, =PRM) = adec(k2, n0, h2, c1) in/let (=PRM) = adec(k2, n0, h2, c1) in/
s/let h3 = h(h2, (ek, offer)) in/let h3 = h(h2, offer) in/
