# ML-KEM falls: a ciphertext gives up its secret at once.
s/KEM_ENCAP(/KEM_ENCAP[weak](/
