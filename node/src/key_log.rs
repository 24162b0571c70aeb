//! The key log file: loud, private, appended to.

use crate::failure::{Context, Failure};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// A file that secrets of sessions are written to.
#[derive(Debug)]
pub struct KeyLog(File);

impl KeyLog {
    /// Opens `path` for appending, for the owner's eyes only, and says so on stderr.
    ///
    /// # Errors
    /// When it cannot be opened, is a link, or others may read it.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600).custom_flags(libc::O_NOFOLLOW);
        }
        let shown = path.display();
        if path.is_symlink() {
            return Err(Failure::new(format!("the key log {shown} is a link, and secrets follow no links"))
                .advise("the file itself, or another one"));
        }
        let file = options.open(path).context(format!("cannot open the key log {shown}"))?;
        check_private(&file, path)?;
        eprintln!(
            "node: WARNING: the secrets of every session go to {}: whoever has that file can read the conversation",
            path.display()
        );
        Ok(Self(file))
    }

    /// Appends the lines of a session.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, lines: &str) -> Result<(), Failure> {
        self.0.write_all(lines.as_bytes()).context("cannot write the key log")
    }
}

#[cfg(unix)]
fn check_private(file: &File, path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().context("cannot inspect the key log")?;
    if !metadata.is_file() || metadata.mode() & 0o077 != 0 {
        return Err(Failure::new(format!("others may read the key log {}", path.display()))
            .advise(format!("chmod 600 {}, or another file", path.display())));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &File, _: &Path) -> Result<(), Failure> {
    Ok(())
}
