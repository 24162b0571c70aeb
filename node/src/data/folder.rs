//! A folder that one process uses at a time.

use crate::entropy;
use crate::failure::{Context, Failure};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use spec::handshake::KeyPair;
use spec::secret::Secret;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// An open data folder; the lock goes with it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens `path`, and makes it when it is not there, for this process alone. `whose` says who else may hold it.
    ///
    /// # Errors
    /// When it cannot be made, or another process holds it.
    pub fn open(path: &Path, whose: &str) -> Result<Self, Failure> {
        let shown = path.display();
        make_private(path).map_err(|error| {
            Failure::new(format!("cannot make the folder {shown}: {error}"))
                .advise("another folder with --data")
        })?;
        let lock =
            private_file(&path.join("lock"), false).context(format!("cannot use the folder {shown}"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Failure::new(format!("{whose} already uses {shown}"))
                .advise("stop it first, or another folder with --data")),
            Err(TryLockError::Error(error)) => {
                Err(Failure::new(format!("cannot lock the folder {shown}: {error}")))
            }
        }
    }

    /// A file in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The key pair in the file `identity`, made when it is not there.
    ///
    /// # Errors
    /// As [`secret`](Self::secret).
    pub fn identity(&self) -> Result<KeyPair, Failure> {
        self.secret("identity").map(KeyPair::new)
    }

    /// The 32 secret bytes in the file `name`, made when it is not there.
    ///
    /// # Errors
    /// When the file is damaged or cannot be written.
    pub fn secret(&self, name: &str) -> Result<Secret<32>, Failure> {
        let path = self.file(name);
        let shown = path.display();
        match fs::read_to_string(&path) {
            Ok(text) => {
                let bytes = HEX.decode(text.trim().as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
                bytes.map(Secret::new).ok_or_else(|| {
                    Failure::new(format!("{shown} does not hold a key: 64 hex digits"))
                        .advise("a backup of it, or another --data folder")
                })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let secret = entropy::secret()?;
                write_private(&path, &HEX.encode(secret.expose()))
                    .and_then(|()| sync_folder(&self.path))
                    .context(format!("cannot write {shown}"))?;
                Ok(secret)
            }
            Err(error) => Err(Failure::new(format!("cannot read {shown}: {error}"))),
        }
    }
}

/// Writes `text` to `path` so that a reader sees the old file or the new one, and the owner alone.
///
/// # Errors
/// When the file system refuses.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = private_file(&temporary, true)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// Makes sure that the names in a folder stay: a key that a name was bound to must not go with a power cut.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    // Windows opens no folder, and needs none of this.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Opens or makes a file that only its owner may read.
///
/// # Errors
/// When the file system refuses.
pub fn private_file(path: &Path, truncate: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(truncate);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn make_private(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The folder of the user's data, with `parts` below it.
///
/// # Errors
/// When there is no home.
pub fn default_path(parts: &[&str]) -> Result<PathBuf, Failure> {
    let base = dirs::data_dir().ok_or_else(|| {
        Failure::new("there is no home folder to keep keys in").advise("a folder with --data")
    })?;
    Ok(parts.iter().fold(base.join("sealgram"), |path, part| path.join(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_one_key_and_nobody_elses_eyes() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b");
        let folder = Folder::open(&path, "a hub").unwrap();
        let key = *folder.identity().unwrap().public();
        assert_eq!(*folder.identity().unwrap().public(), key);
        assert!(Folder::open(&path, "a hub").unwrap_err().to_string().contains("a hub already uses"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.file("identity")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(folder.file("identity"), "garbage").unwrap();
        assert!(folder.identity().unwrap_err().to_string().contains("64 hex digits"));
        drop(folder);
        assert!(Folder::open(&path, "a hub").is_ok());
    }
}
