//! Calibration on seeded noise, and power on small leaks.

use super::*;
use crate::test_random::random_bytes;

fn judge_all(bodies: &[Vec<u8>]) -> OpacityReport {
    let samples: Vec<Sample<'_>> =
        (1..).zip(bodies).map(|(packet, bytes)| Sample { packet, kind: "SHORT", bytes }).collect();
    judge(&samples, &[])
}

fn noise(count: u64, len: usize) -> Vec<Vec<u8>> {
    (0..count).map(|seed| random_bytes(seed + 1_000, len)).collect()
}

/// Under the null hypothesis `P(evidence ≥ 2^k) ≤ 2^-k` for every single test.
#[test]
fn noise_raises_no_alarm_and_keeps_the_bound() {
    const SAMPLES: u64 = 5_000;
    let bodies = noise(SAMPLES, 84);
    let report = judge_all(&bodies);
    assert_eq!(report.alarms, []);
    assert_eq!(report.samples, SAMPLES);
    let models = model::models();
    let evidence: Vec<_> = bodies.iter().map(|body| fragment::evidence_bits(&models, body, &[])).collect();
    for (index, model) in models.iter().enumerate() {
        for bits in [4_u32, 6, 8] {
            let threshold = f64::from(bits);
            let exceeding = evidence.iter().filter(|evidence| evidence[index] >= threshold).count();
            let bound = SAMPLES >> bits;
            // Three standard deviations above what the bound allows in the mean.
            let slack = 3.0 * approximate(usize::try_from(bound).unwrap()).sqrt() + 1.0;
            let limit = approximate(usize::try_from(bound).unwrap()) + slack;
            assert!(approximate(exceeding) <= limit, "{} at 2^{bits}: {exceeding} of {SAMPLES}", model.name);
        }
    }
}

#[test]
fn sixteen_bytes_of_english_in_two_hundred_are_found_every_time() {
    for trial in 0..100 {
        let mut body = random_bytes(trial, 200);
        let at = usize::try_from(trial).unwrap();
        body[at..at + 16].copy_from_slice(b"tell the others ");
        assert!(!judge_all(&[body]).alarms.is_empty(), "trial {trial}");
    }
}

#[test]
fn twelve_bytes_of_english_in_two_hundred_are_found_every_time() {
    for trial in 0..100 {
        let mut body = random_bytes(trial + 500, 200);
        body[60..72].copy_from_slice(b"see you then");
        assert!(!judge_all(&[body]).alarms.is_empty(), "trial {trial}");
    }
}

#[test]
fn other_structure_is_found_too() {
    let plant = |bytes: &[u8]| {
        let mut body = random_bytes(7, 300);
        body[100..100 + bytes.len()].copy_from_slice(bytes);
        body
    };
    for (what, body) in [
        ("zeros", plant(&[0; 8])),
        ("a run of one byte", plant(&[0xa7; 10])),
        ("base64", plant(b"dGhlcmUgaXMgbm8gc3BhY2UgaW4gdGhpcw")),
        ("hexadecimal", plant(b"0a1b2c3d4e5f60718293a4b5")),
    ] {
        assert!(!judge_all(&[body]).alarms.is_empty(), "{what}");
    }
}

#[test]
fn what_only_many_samples_show_is_found() {
    // A tenth of all byte values never occurs.
    let skewed: Vec<Vec<u8>> = noise(400, 80)
        .into_iter()
        .map(|body| body.into_iter().map(|byte| if byte < 32 { byte | 0x40 } else { byte }).collect())
        .collect();
    assert!(!judge_all(&skewed).alarms.is_empty());
    // One column that counts.
    let mut counted = noise(400, 80);
    for (number, body) in counted.iter_mut().enumerate() {
        body[5] = u8::try_from(number / 100).unwrap();
    }
    let report = judge_all(&counted);
    assert!(report.alarms.iter().any(|alarm| alarm.model.contains("byte 5 of")), "{report:?}");
}

#[test]
fn the_masked_bits_of_the_first_byte_are_judged() {
    let alarms = |bytes: &[u8]| judge(&[], bytes).alarms.len();
    assert_eq!(alarms(&random_bytes(3, 5_000)), 0);
    assert_eq!(alarms(&[0x40; 40]), 1, "never masked");
    assert_eq!(alarms(&b"six bits of a letter go in each byte. ".repeat(4)), 1);
}

#[test]
fn repeated_samples_are_judged_once() {
    let body = random_bytes(1, 100);
    let report = judge_all(&vec![body; 500]);
    assert_eq!((report.samples, report.repeated), (1, 499));
    assert_eq!(report.alarms, []);
}

/// What is remembered of samples is bounded: it begins anew with each chapter.
#[test]
fn a_repeated_sample_is_judged_again_in_another_chapter_only() {
    let mut judge = Judge::new();
    let mut take = |number: u64| {
        let bytes = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        judge.take(&Sample { packet: 1, kind: "SHORT", bytes: &bytes })
    };
    let count = u64::try_from(CHAPTER_SAMPLES).unwrap() + 10;
    assert!((0..count).all(&mut take), "all differ");
    assert!(take(0), "its chapter is closed");
    assert!(!take(0));
    let report = judge.finish();
    assert_eq!((report.chapters, report.repeated), (2, 1));
}

mod key_shares {
    use spec::crypto::x25519_public;
    use spec::handshake::kem::{KemPair, encapsulate};
    use spec::secret::Secret;

    use super::*;

    fn secret<const N: usize>(seed: u64) -> Secret<N> {
        Secret::new(random_bytes(seed, N).try_into().unwrap())
    }

    fn judge_shares(shares: &[Vec<u8>]) -> OpacityReport {
        let sample = |(packet, bytes)| Sample { packet, kind: KEY_SHARE, bytes };
        judge(&(1..).zip(shares.iter().map(Vec::as_slice)).map(sample).collect::<Vec<_>>(), &[])
    }

    fn ciphertexts(count: u64) -> Vec<Vec<u8>> {
        let pair = KemPair::new(&secret(1));
        (0..count).map(|seed| encapsulate(pair.public(), &secret(seed)).unwrap().0.to_vec()).collect()
    }

    #[test]
    fn real_ones_raise_no_alarm() {
        let keys: Vec<Vec<u8>> = (0..300).map(|seed| x25519_public(&secret(seed)).to_vec()).collect();
        let report = judge_shares(&[keys, ciphertexts(100)].concat());
        assert_eq!(report.alarms, []);
        assert!(report.significance_bits < 10.0, "{report:?}");
    }

    /// Judged as uniform bytes, a hundred ciphertexts are far from random: the law makes the difference.
    #[test]
    fn ciphertexts_are_not_uniform_and_uniform_bytes_are_no_ciphertexts() {
        let likelihood: f64 = ciphertexts(100).iter().map(|ct| KemLaw::new().likelihood_bits(ct)).sum();
        assert!((700.0..1_200.0).contains(&likelihood), "9.4 bits each are expected: {likelihood}");
        let report = judge_shares(&noise(10, 1088));
        assert!(report.alarms.iter().any(|alarm| alarm.model.contains("ML-KEM")), "{report:?}");
    }

    #[test]
    fn text_in_a_key_share_is_found() {
        let mut ciphertext = ciphertexts(1).remove(0);
        ciphertext[301..319].copy_from_slice(b"the key is a lie, ");
        assert!(!judge_shares(&[ciphertext]).alarms.is_empty());
        let mut key = x25519_public(&secret(5)).to_vec();
        key[8..24].copy_from_slice(b"read this and go");
        assert!(!judge_shares(&[key]).alarms.is_empty());
    }
}
