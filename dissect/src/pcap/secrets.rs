//! Secrets inside the file: of Decryption Secrets Blocks, the lines that are of a key log of ours.

use spec::key_log::Label;

/// Bytes of key log that are taken out of a file: some 100,000 lines.
const KEY_LOG_BYTES_MAX: usize = 1 << 24;

/// Adds the lines of ours in a block to the key log; whether there was room for all of them.
///
/// The type of the block is not asked: a TLS key log that our lines were added to is as good as one that
/// holds nothing else.
pub(super) fn collect(secrets: &[u8], key_log: &mut String) -> bool {
    let is_label = |word: &[u8]| Label::ALL.iter().any(|label| label.as_str().as_bytes() == word);
    let is_ours = |line: &&[u8]| is_label(line.split(|byte| *byte == b' ').next().unwrap_or_default());
    let lines = secrets.split(|byte| matches!(byte, b'\n' | b'\r')).filter(is_ours);
    for line in lines.filter_map(|line| std::str::from_utf8(line).ok()) {
        if key_log.len() + line.len() >= KEY_LOG_BYTES_MAX {
            return false;
        }
        key_log.push_str(line);
        key_log.push('\n');
    }
    true
}
