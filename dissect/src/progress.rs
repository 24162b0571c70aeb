//! How far long work has come.

/// Is told how far long work has come, often: whoever shows it decides how often.
pub trait Progress: Sync {
    /// So many bytes of a step are done; of how many, where that is known.
    fn at(&self, step: &'static str, done_bytes: u64, total_bytes: Option<u64>);
}

/// Nobody wants to know.
impl Progress for () {
    fn at(&self, _: &'static str, _: u64, _: Option<u64>) {}
}
