//! Entropy, for information only: at the lengths of chat it tells nothing by itself, so that it is shown beside
//! what random bytes of the same length have.

/// Entropy of the distribution of byte values, in bits a byte; 0 without bytes.
#[must_use]
pub(crate) fn plug_in(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = super::approximate(bytes.len());
    let of = |count: u32| {
        let share = f64::from(count) / total;
        -share * share.log2()
    };
    counts.into_iter().filter(|count| *count > 0).map(of).sum()
}

/// What [`plug_in`] gives for `len` independent uniform bytes, in the mean. Exact: the count of each value is
/// binomial, so that the mean is `log2 n - 256/n * E[k log2 k]`.
#[must_use]
pub(crate) fn of_random(len: usize) -> f64 {
    if len == 0 {
        return 0.0;
    }
    let n = super::approximate(len);
    let odds = 1.0 / 255.0;
    let mut chance = n * (255.0_f64 / 256.0).ln();
    let mut sum = 0.0;
    for k in 1..=len {
        let count = super::approximate(k);
        chance += ((n - count + 1.0) / count * odds).ln();
        let term = chance.exp() * count * count.log2();
        sum += term;
        if k > 1 && count > n / 256.0 && term < 1e-12 {
            break;
        }
    }
    n.log2() - 256.0 / n * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::random_bytes;

    #[test]
    fn of_known_distributions() {
        let all: Vec<u8> = (0..=255).collect();
        for (bytes, bits) in [(&b""[..], 0.0), (b"aaaa", 0.0), (b"abab", 1.0), (b"abcd", 2.0), (&all, 8.0)] {
            assert!((plug_in(bytes) - bits).abs() < 1e-12, "{bytes:?}");
        }
    }

    /// The means that 20,000 simulations gave.
    #[test]
    fn random_bytes_have_less_than_eight_bits() {
        for (len, bits) in [(16, 3.942), (64, 5.765), (256, 7.175), (1_200, 7.839), (65_536, 7.997)] {
            assert!((of_random(len) - bits).abs() < 0.002, "{len}: {}", of_random(len));
        }
        let mean = (0..200).map(|seed| plug_in(&random_bytes(seed, 93))).sum::<f64>() / 200.0;
        assert!((mean - of_random(93)).abs() < 0.02, "{mean} and {}", of_random(93));
    }
}
