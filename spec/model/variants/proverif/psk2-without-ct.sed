# Mutation: psk2 is made from the ML-KEM secret alone, without the ciphertext.
s/kempsk(kemdec(dk, ct), ct)/kempsk(kemdec(dk, ct), ZERO)/
s/let psk2 = kempsk(\(.*\), ct) in/let psk2 = kempsk(\1, ZERO) in/
