//! Times as people read them. Dates are in UTC: a capture that is passed on says the same everywhere.

use std::fmt;

const SECOND_NS: i128 = 1_000_000_000;
const DAY_SECONDS: i128 = 86_400;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Nanoseconds as seconds with nine decimals.
pub(crate) fn seconds(nanoseconds: i128) -> String {
    let absolute = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    format!("{sign}{}.{:09}", absolute / 1_000_000_000, absolute % 1_000_000_000)
}

/// How the time of a packet is shown: tshark's `-t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TimeFormat {
    /// Seconds since the first packet.
    #[default]
    R,
    /// Time of day, in UTC.
    A,
    /// Date and time of day, in UTC.
    Ad,
    /// Seconds since 1970.
    E,
    /// Seconds since the packet before.
    D,
    /// Seconds since the packet shown before.
    Dd,
}

/// When a packet was captured, and what that is counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Of this packet, in nanoseconds since 1970.
    pub(crate) now_ns: Option<i128>,
    /// Of the first packet that has a time.
    pub(crate) first_ns: Option<i128>,
    /// Of the packet before.
    pub(crate) previous_ns: Option<i128>,
    /// Of the packet that was shown before.
    pub(crate) displayed_ns: Option<i128>,
}

impl Clock {
    /// Nanoseconds since the first packet.
    pub(crate) fn relative_ns(&self) -> Option<i128> {
        self.since(self.first_ns)
    }

    /// Nanoseconds since `earlier`; 0 where nothing was earlier.
    pub(crate) fn since(&self, earlier: Option<i128>) -> Option<i128> {
        self.now_ns.map(|now| earlier.map_or(0, |earlier| now.saturating_sub(earlier)))
    }

    /// The time in this format; `-` for a packet without one.
    pub(crate) fn shown(&self, format: TimeFormat) -> String {
        let text = match format {
            TimeFormat::R => self.relative_ns().map(seconds),
            TimeFormat::A => self.now_ns.map(|now| Date::of(now).clock_time()),
            TimeFormat::Ad => self.now_ns.map(|now| Date::of(now).to_string()),
            TimeFormat::E => self.now_ns.map(seconds),
            TimeFormat::D => self.since(self.previous_ns).map(seconds),
            TimeFormat::Dd => self.since(self.displayed_ns).map(seconds),
        };
        text.unwrap_or_else(|| "-".to_owned())
    }
}

/// A date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    year: i128,
    month: usize,
    day: i128,
    second_of_day: i128,
    nanosecond: i128,
}

impl Date {
    /// Of nanoseconds since 1970, in the Gregorian calendar (the algorithm of Hinnant, "chrono-Compatible
    /// Low-Level Date Algorithms", `civil_from_days`).
    pub(crate) fn of(nanoseconds: i128) -> Self {
        let whole = nanoseconds.div_euclid(SECOND_NS);
        let days = whole.div_euclid(DAY_SECONDS) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self {
            year: year_of_era + era * 400 + i128::from(month <= 2),
            month: usize::try_from(month).unwrap_or(1),
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            second_of_day: whole.rem_euclid(DAY_SECONDS),
            nanosecond: nanoseconds.rem_euclid(SECOND_NS),
        }
    }

    /// Reads `2026-11-20`, optionally with ` 18:30`, `:05` and `.25` behind it, with `T` for the space and `Z`
    /// at the end if wished: nanoseconds since 1970.
    pub(crate) fn parse(text: &str) -> Option<i128> {
        let text = text.strip_suffix('Z').unwrap_or(text);
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
        let [year, month, day] = numbers(date, '-')?;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year > 9_999 {
            return None;
        }
        let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
        let clock = if clock.matches(':').count() == 1 { format!("{clock}:00") } else { clock.to_owned() };
        let [hour, minute, second] = numbers(&clock, ':')?;
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        // `days_from_civil` of the same paper.
        let (year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
        let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let seconds = (days - 719_468) * DAY_SECONDS + hour * 3_600 + minute * 60 + second;
        Some(seconds * SECOND_NS + fraction_ns(fraction)?)
    }

    /// As tshark prints `frame.time`.
    pub(crate) fn long(&self) -> String {
        let month = MONTHS.get(self.month.saturating_sub(1)).unwrap_or(&"Jan");
        format!("{month} {:>2}, {} {} UTC", self.day, self.year, self.clock_time())
    }

    fn clock_time(&self) -> String {
        let second = self.second_of_day;
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        format!("{hour:02}:{minute:02}:{:02}.{:09}", second % 60, self.nanosecond)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02} {}", self.year, self.month, self.day, self.clock_time())
    }
}

/// Reads seconds with up to nine decimals: nanoseconds.
pub(crate) fn parse_seconds(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let [whole] = numbers(whole, '\0')?;
    Some(sign * (whole * SECOND_NS + fraction_ns(fraction)?))
}

/// Digits behind the point of a second, as nanoseconds.
fn fraction_ns(digits: &str) -> Option<i128> {
    if digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9}").parse().ok()
}

/// Exactly `N` whole numbers of at most twelve digits.
fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i128; N]> {
    let number = |digits: &str| {
        let is_number = (1..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| is_number)
    };
    let parts: Option<Vec<i128>> = text.split(separator).map(number).collect();
    parts?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_there_and_back() {
        for (shown, whole_seconds) in [
            ("1970-01-01 00:00:00.000000000", 0),
            ("1969-12-31 23:59:59.000000000", -1),
            ("2000-02-29 12:00:00.000000000", 951_825_600),
            ("2006-05-13 20:23:15.000000000", 1_147_551_795),
            ("2100-03-01 00:00:00.000000000", 4_107_542_400),
        ] {
            assert_eq!(Date::of(whole_seconds * SECOND_NS).to_string(), shown);
            assert_eq!(Date::parse(shown), Some(whole_seconds * SECOND_NS));
        }
        assert_eq!(Date::parse("2026-11-20T18:30Z"), Date::parse("2026-11-20 18:30:00"));
        for broken in ["", "2026", "2026-13-01", "2026-01-01 25:00", "2026-01-01 1:2:3.x", "99999-01-01"] {
            assert_eq!(Date::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn seconds_with_a_fraction() {
        assert_eq!(parse_seconds("1.5"), Some(1_500_000_000));
        assert_eq!(parse_seconds("-0.000000001"), Some(-1));
        assert_eq!(seconds(-1), "-0.000000001");
        for broken in ["", ".", "1.2.3", "1e3", "1.0000000001"] {
            assert_eq!(parse_seconds(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_packet_without_a_time() {
        let clock = Clock { first_ns: Some(5), ..Clock::default() };
        assert_eq!(clock.shown(TimeFormat::R), "-");
        let clock = Clock { now_ns: Some(7), ..clock };
        assert_eq!(clock.shown(TimeFormat::R), "0.000000002");
        assert_eq!(clock.shown(TimeFormat::D), "0.000000000");
    }
}
