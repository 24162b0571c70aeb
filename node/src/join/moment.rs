//! Points in time as people read and write them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use spec::time::UnixTime;
use std::time::Duration;

/// `2h`, `30m`, `45s` or `7d`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    count.checked_mul(seconds).map(Duration::from_secs)
}

fn stamp(time: UnixTime) -> Timestamp {
    let millisecond = i64::try_from(time.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::MAX)
}

/// RFC 3339, in UTC, to the millisecond.
pub(super) fn rfc3339(time: UnixTime) -> String {
    format!("{:.3}", stamp(time))
}

/// Day and minute where the reader is.
pub(super) fn local(time: UnixTime) -> String {
    stamp(time).to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("2h", Some(7_200)),
            ("30m", Some(1_800)),
            ("7d", Some(604_800)),
            ("0s", Some(0)),
            ("h", None),
            ("2", None),
            ("-1h", None),
            ("2é", None),
            ("", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(duration(text), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(rfc3339(UnixTime(1_790_000_000_123)), "2026-09-21T14:13:20.123Z");
        assert!(rfc3339(UnixTime(u64::MAX)).starts_with("9999-12-30"));
        assert_eq!(local(UnixTime(1_790_000_000_123)).len(), "2026-09-21 14:13".len());
    }
}
