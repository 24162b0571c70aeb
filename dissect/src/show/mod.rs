//! The reading habits of the field: filters over named fields, packet tables, trees and bytes, statistics,
//! followed conversations, ladder diagrams and timelines.
//!
//! Everything here takes one packet at a time and remembers a bounded amount of those before it.
//!
//! | module | does |
//! |---|---|
//! | `seen`, `walk`, `layer`, `stream`, `conversation` | a packet, and what is known of it and before it |
//! | `field`, `fields`, `value`, `time` | named fields and their values |
//! | `filter` | `-Y` |
//! | `listing`, `column` | what is printed of each packet: `-T`, `-V`, `-x` |
//! | `fold`, `stat` | what is gathered over all packets: `-z` |
//! | `follow`, `find`, `ladder`, `timeline`, `operation` | what is said, where something occurs, who does what when |
//! | `printer` | drives all of it |

mod column;
mod conversation;
pub(crate) mod field;
mod fields;
pub(crate) mod filter;
pub(crate) mod find;
pub(crate) mod fold;
pub(crate) mod follow;
pub(crate) mod ladder;
mod layer;
pub(crate) mod listing;
mod operation;
pub(crate) mod printer;
pub(crate) mod seen;
mod stat;
mod stream;
pub(crate) mod time;
pub(crate) mod timeline;
mod value;
mod walk;

pub(crate) use stat::{HELP as STATISTICS, parse as statistic};
