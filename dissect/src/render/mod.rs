//! Shows packets as they are judged and then the report: [`Text`] for people, [`Json`] for programs.

mod json;
mod metadata;
mod sanitise;
mod table;
mod text;

pub use json::Json;
pub(crate) use json::{ascii_json, document};
pub(crate) use sanitise::sanitise;
pub(crate) use text::headline;
pub use text::{Style, Text, text};

/// Nanoseconds since 1970 as seconds with nine decimals.
fn seconds(nanoseconds: i128) -> String {
    let (whole, rest) =
        (nanoseconds.unsigned_abs() / 1_000_000_000, nanoseconds.unsigned_abs() % 1_000_000_000);
    let sign = if nanoseconds < 0 { "-" } else { "" };
    format!("{sign}{whole}.{rest:09}")
}

#[cfg(test)]
mod tests;
