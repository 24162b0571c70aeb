//! The log on disk, and the thread it lives on.

mod redaction;
mod search;
mod sqlite;
mod thread;

pub use sqlite::SqliteLog;
pub use thread::LogThread;
