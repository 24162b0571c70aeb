# Mutation: psk2 is made from the ML-KEM secret alone, without ek and ct.
s/c_psk2 = .*/c_psk2 = HKDF(sgm1kem, c_ss, nil)/
s/h_psk2 = .*/h_psk2 = HKDF(sgm1kem, h_ss, nil)/
