//! What one length tells of another: mutual information, with the chance that it is chance.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::noise::Noise;

/// Datagrams compared: the first ones.
const COMPARED: usize = 4_096;
/// Relabellings of the permutation test, and their seed.
const PERMUTATIONS: u32 = 999;
const SEED: u64 = 0x5ea1_6a30;

/// Pairs of lengths.
#[derive(Debug, Default)]
pub(super) struct Joint {
    pairs: Vec<(usize, usize)>,
    left_out: u64,
}

/// How much the length of a datagram tells of the length of what was said in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Information {
    /// Opened datagrams compared.
    pub datagrams: u64,
    /// Opened datagrams beyond the first 4,096.
    pub left_out: u64,
    /// The entropy of the length of what was said, in bits.
    pub said_entropy_bits: f64,
    /// The mutual information of both lengths, in bits a datagram.
    pub information_bits: f64,
    /// The chance that lengths which have nothing to do with each other show as much (999 relabellings).
    pub p_value: f64,
}

impl Joint {
    pub(super) fn take(&mut self, said_len: usize, datagram_len: usize) {
        if self.pairs.len() < COMPARED {
            self.pairs.push((said_len, datagram_len));
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn finish(self) -> Option<Information> {
        if self.pairs.is_empty() {
            return None;
        }
        let (said, sent): (Vec<usize>, Vec<usize>) = self.pairs.iter().copied().unzip();
        let (said, mut sent) = (ranks(&said), ranks(&sent));
        let said_entropy_bits = entropy(&said);
        let alone_bits = said_entropy_bits + entropy(&sent);
        let information_bits = (alone_bits - joint_entropy(&said, &sent)).max(0.0);
        let mut noise = Noise::new(SEED, 0);
        let as_much = (0..PERMUTATIONS).filter(|_| {
            noise.shuffle(&mut sent);
            alone_bits - joint_entropy(&said, &sent) >= information_bits - 1e-9
        });
        let reached = f64::from(u32::try_from(as_much.count()).unwrap_or(u32::MAX));
        Some(Information {
            datagrams: crate::bytes::count(said.len()),
            left_out: self.left_out,
            said_entropy_bits,
            information_bits,
            p_value: (reached + 1.0) / f64::from(PERMUTATIONS + 1),
        })
    }
}

impl Information {
    pub(super) fn sentence(&self) -> String {
        let tells = if self.p_value <= 0.01 { "tells" } else { "tells, no more than by chance," };
        format!(
            "the length of a datagram {tells} {:.2} of the {:.2} bits in the length of what was said in it (p = {:.3}, {} opened datagrams)",
            self.information_bits, self.said_entropy_bits, self.p_value, self.datagrams
        )
    }
}

/// Numbers from 0 in place of the values, equal for equal ones.
fn ranks(values: &[usize]) -> Vec<usize> {
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    let mut rank = |value: &usize| {
        let next = places.len();
        *places.entry(*value).or_insert(next)
    };
    values.iter().map(&mut rank).collect()
}

fn entropy(ranks: &[usize]) -> f64 {
    joint_entropy(ranks, &vec![0; ranks.len()])
}

/// The entropy of pairs of ranks, in bits.
fn joint_entropy(a: &[usize], b: &[usize]) -> f64 {
    let width = b.iter().max().map_or(1, |highest| highest + 1);
    let mut cells: Vec<usize> = a.iter().zip(b).map(|(a, b)| a * width + b).collect();
    cells.sort_unstable();
    entropy_bits(cells.chunk_by(|a, b| a == b).map(|equal| crate::bytes::count(equal.len())))
}

/// The entropy of a distribution given by its counts, in bits.
pub(super) fn entropy_bits(counts: impl Iterator<Item = u64>) -> f64 {
    let counts: Vec<f64> = counts.map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX))).collect();
    let total: f64 = counts.iter().sum();
    counts.iter().filter(|count| **count > 0.0).map(|count| count / total * (total / count).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn information(pairs: impl Iterator<Item = (usize, usize)>) -> Information {
        let mut joint = Joint::default();
        pairs.for_each(|(said, sent)| joint.take(said, sent));
        joint.finish().unwrap()
    }

    #[test]
    fn a_length_that_tells_all_and_one_that_tells_nothing() {
        let all = information((0..400).map(|number| (number % 4, 100 + number % 4)));
        assert!((all.information_bits - 2.0).abs() < 1e-9 && all.p_value <= 0.001, "{all:?}");
        let nothing = information((0..400).map(|number| (number % 4, 100 + number / 4 % 2)));
        assert!(nothing.information_bits < 1e-9 && nothing.p_value > 0.5, "{nothing:?}");
        assert!(Joint::default().finish().is_none());
    }

    #[test]
    fn entropies() {
        assert!((entropy_bits([1, 1, 2].into_iter()) - 1.5).abs() < 1e-12);
        assert!(entropy_bits([5].into_iter()).abs() < 1e-12);
        assert!(entropy_bits(std::iter::empty()).abs() < 1e-12);
    }
}
