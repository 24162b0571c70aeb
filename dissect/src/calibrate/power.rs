//! Which leaks are found: text of a known length inside one of many random payloads.

use super::on_all_cores;
use super::texts::Text;
use crate::noise::Noise;
use crate::opacity::{ALPHA_BITS, Judge, Sample};

/// Bytes of the payloads.
const PAYLOAD_BYTES: usize = 200;
/// The required leak: so many bytes of lower-case English among up to 1,000 packets, in 99 % of trials.
const REQUIRED_BYTES: usize = 16;
const REQUIRED_SHARE: f64 = 0.99;
const REQUIRED_PACKETS: [usize; 4] = [1, 10, 100, 1_000];
/// Lengths of the leaks in the table, in bytes.
const LENGTHS: [usize; 8] = [8, 12, 16, 20, 24, 32, 48, 64];
/// The captures of the table have so many packets.
const TABLE_PACKETS: [usize; 2] = [1, 1_000];

/// In how many trials a leak was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Trials with an alarm.
    pub found: u64,
    /// All trials.
    pub trials: u64,
}

impl Found {
    /// The share of trials with an alarm, from 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        number(self.found) / number(self.trials.max(1))
    }
}

/// The power at the default threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Power {
    /// 16 bytes of lower-case English, by number of packets of the whole capture.
    pub required: Vec<(usize, Found)>,
    /// What the columns of the tables are, in bytes.
    pub lengths: Vec<usize>,
    /// By number of packets: a row for each text.
    pub tables: Vec<(usize, Vec<Row>)>,
}

/// The power for one text, by length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What the text is.
    pub text: &'static str,
    /// For each length.
    pub found: Vec<Found>,
}

impl Power {
    /// Makes `trials` trials for every entry.
    #[must_use]
    pub fn measure(trials: u64, seed: u64) -> Self {
        let required =
            REQUIRED_PACKETS.map(|packets| (packets, whole_captures(packets, trials, seed))).to_vec();
        let cells = Text::ALL.map(|text| LENGTHS.map(|len| one_packet(text, len, trials, seed)));
        let table = |index: usize| {
            let row = |(text, cells): (&Text, &[[Found; TABLE_PACKETS.len()]; LENGTHS.len()])| Row {
                text: text.name(),
                found: cells.iter().filter_map(|found| found.get(index)).copied().collect(),
            };
            Text::ALL.iter().zip(&cells).map(row).collect()
        };
        let tables =
            TABLE_PACKETS.into_iter().zip(0..).map(|(packets, index)| (packets, table(index))).collect();
        Self { required, lengths: LENGTHS.to_vec(), tables }
    }

    /// Whether what must be found is.
    #[must_use]
    pub fn suffices(&self) -> bool {
        self.required.iter().all(|(_, found)| found.share() >= REQUIRED_SHARE)
    }
}

/// Judges whole captures with a leak in one packet of each.
fn whole_captures(packets: usize, trials: u64, seed: u64) -> Found {
    count(trials, |trial| {
        let mut noise = Noise::new(seed, trial);
        let mut judge = Judge::new();
        let leaky = noise.below(u32::try_from(packets).unwrap_or(1)) as usize;
        for packet in 0..packets {
            let leak = if packet == leaky { REQUIRED_BYTES } else { 0 };
            let bytes = payload(&mut noise, Text::LowerCase, leak);
            judge.take(&Sample { packet, kind: "datagram", bytes: &bytes });
        }
        judge.finish().significance_bits >= ALPHA_BITS
    })
}

/// Judges the leaky packet alone, against the limits that the numbers of packets of the tables set. The other
/// packets could add an alarm once in a million captures.
fn one_packet(text: Text, len: usize, trials: u64, seed: u64) -> [Found; TABLE_PACKETS.len()] {
    let new = || [0; TABLE_PACKETS.len()];
    let counts = on_all_cores(trials, new, |found: &mut [u64; TABLE_PACKETS.len()], trial| {
        let bytes = payload(&mut Noise::new(seed, trial), text, len);
        let mut judge = Judge::new();
        judge.take(&Sample { packet: 1, kind: "datagram", bytes: &bytes });
        let report = judge.finish();
        for (found, packets) in found.iter_mut().zip(TABLE_PACKETS) {
            let packets_bits = f64::from(u32::try_from(packets).unwrap_or(u32::MAX)).log2();
            let limit = report.fragment_limit_bits + packets_bits;
            *found += u64::from(report.strongest_fragment_bits >= limit);
        }
    });
    std::array::from_fn(|index| {
        let found = counts.iter().filter_map(|found| found.get(index)).sum();
        Found { found, trials }
    })
}

/// A random payload with a text somewhere in it.
fn payload(noise: &mut Noise, text: Text, len: usize) -> Vec<u8> {
    let mut bytes = noise.bytes(PAYLOAD_BYTES);
    if len > 0 {
        let start = noise.below(u32::try_from(PAYLOAD_BYTES - len + 1).unwrap_or(1)) as usize;
        let text = text.piece(noise, len);
        for (byte, leaked) in bytes.iter_mut().skip(start).zip(text) {
            *byte = leaked;
        }
    }
    bytes
}

fn count(trials: u64, is_found: impl Fn(u64) -> bool + Sync) -> Found {
    let found = on_all_cores(trials, u64::default, |found, trial| *found += u64::from(is_found(trial)));
    Found { found: found.iter().sum(), trials }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_required_leak_is_found_and_no_leak_is_not() {
        assert!(whole_captures(100, 40, 3).share() >= REQUIRED_SHARE);
        assert_eq!(one_packet(Text::LowerCase, 0, 50, 3).map(|found| found.found), [0, 0]);
        assert_eq!(one_packet(Text::Zeros, 64, 50, 3).map(|found| found.found), [50, 50]);
    }
}
