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
    for model in fragment::models() {
        for bits in [4_u32, 6, 8] {
            let threshold = f64::from(bits);
            let exceeding = bodies.iter().filter(|body| model.evidence_bits(body, 1.0) >= threshold).count();
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
