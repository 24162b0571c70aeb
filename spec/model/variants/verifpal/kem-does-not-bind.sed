# What if: a KEM whose secret does not depend on the key it is made for, so
# that whoever opens one ciphertext can send the same secret to another key.
s/generates he, r, choice/generates he, h_ss, choice/
s/h_ss, ct = KEM_ENCAP(\(.*\), r)/ct = PKE_ENC(\1, h_ss)/
s/KEM_DECAP(dk, ct)/PKE_DEC(dk, ct)/
