# Mutation: the ML-KEM secret is not mixed; psk2 is a public constant.
s/let psk2 = kempsk(kemdec(dk, ct), ct) in/let psk2 = ZERO in/
s/let psk2 = kempsk(kemss(ek, r), ct) in/let psk2 = ZERO in/
