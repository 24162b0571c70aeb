//! The clock of an interface: how its ticks become nanoseconds.

const SECOND_NS: u128 = 1_000_000_000;

/// Resolution and beginning of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    ticks_per_second: u128,
    pub(super) offset_seconds: i64,
}

impl Clock {
    pub(super) const MICROSECONDS: Self = Self { ticks_per_second: 1_000_000, offset_seconds: 0 };
    pub(super) const NANOSECONDS: Self = Self { ticks_per_second: SECOND_NS, offset_seconds: 0 };

    /// Takes the resolution from an `if_tsresol` byte: a power of ten, or of two when the high bit is set.
    pub(super) fn set_resolution(&mut self, resolution: u8) -> Result<(), &'static str> {
        let ticks = match resolution {
            0..=0x7f => 10_u128.checked_pow(u32::from(resolution)),
            0x80..=0xff => Some(1 << (resolution & 0x7f)),
        };
        self.ticks_per_second = ticks.ok_or("a clock resolution finer than can be computed")?;
        Ok(())
    }

    /// Nanoseconds since 1970, rounded down to a whole one.
    pub(super) fn nanoseconds(self, ticks: u64) -> i128 {
        let ticks = u128::from(ticks);
        let whole = ticks / self.ticks_per_second;
        // The remainder is below 2^64 whenever it is not zero, so the product fits in 128 bits.
        let fraction = (ticks % self.ticks_per_second) * SECOND_NS / self.ticks_per_second;
        let elapsed = i128::try_from(whole * SECOND_NS + fraction).unwrap_or(i128::MAX);
        elapsed.saturating_add(i128::from(self.offset_seconds) * 1_000_000_000)
    }
}
