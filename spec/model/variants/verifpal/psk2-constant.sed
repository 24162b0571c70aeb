# Mutation: the ML-KEM secret is not mixed; psk2 is a public constant.
s/c_psk2 = .*/c_psk2 = HKDF(sgm1kem, nil, nil)/
s/h_psk2 = .*/h_psk2 = HKDF(sgm1kem, nil, nil)/
