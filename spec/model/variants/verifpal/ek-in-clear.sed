# To be named before the other variants that touch psk2 or the KEM.
# Mutation: ek travels beside message 1 instead of inside its AEAD, and is not
# in the transcript.
s/m1 = AEAD_ENC(c_k2, n0, ek, c_h1)/m1 = AEAD_ENC(c_k2, n0, nil, c_h1)/
s/^Client -> Hub: gce, m1$/Client -> Hub: gce, ek, m1/
s/h_ek = AEAD_DEC(h_k2, n0, m1, h_h1)?/_ = AEAD_DEC(h_k2, n0, m1, h_h1)?/
s/KEM_ENCAP(h_ek, r)/KEM_ENCAP(ek, r)/
s/HASH(h_ek, ct)/HASH(ek, ct)/
