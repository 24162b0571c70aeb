//! What is printed of each packet.

mod csv;
mod fields;
mod hex;
mod json;
mod table;
mod tree;

use std::io::{self, Write};

pub(crate) use csv::Csv;
pub(crate) use fields::{Fields, Layout};
use hex::{dump, legend};
pub(crate) use json::Json;
pub(crate) use table::Table;
pub(crate) use tree::Details;

use super::seen::Seen;

/// Prints packets one by one.
pub(crate) trait Listing {
    /// What stands before the first packet.
    fn begin(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// One packet that passed the filter.
    fn packet(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// What stands behind the last packet.
    fn end(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
