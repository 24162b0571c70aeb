# Mutation (protocol-review F11): the client builds message 3 again with newer,
# known data under the same key and nonce instead of repeating its bytes.
s/m3 = AEAD_ENC(c_k5, n0, first, HASH(c_h3, m3s))/& again = AEAD_ENC(c_k5, n0, n1, HASH(c_h3, m3s))/
s/^Client -> Hub: m3s, m3$/Client -> Hub: m3s, m3, again/
