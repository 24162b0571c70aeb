//! The log on disk, and the thread it lives on.

mod sqlite;
mod thread;

pub use sqlite::SqliteLog;
pub use thread::LogThread;
